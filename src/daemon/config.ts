import { homedir, hostname } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { explainError, LinkspanError } from '../base/errors.ts'
import type { LogLevel } from '../base/log.ts'
import { readTextIfThere } from '../identity/files.ts'
import { formatAddress, type HostPort, parseAddress } from '../transport/address.ts'
import { type SettingName, settingNames, variableOf } from './settings.ts'

export interface DaemonConfig {
  stateDir: string
  listen: HostPort
  /** `host:port`s; empty: those listened on. */
  advertise: string[]
  name: string
  /** The Kafka that is fronted; without one, the embedded broker runs. */
  kafka?: KafkaConfig
  broker?: BrokerSetting
  logLevel: LogLevel
  logFormat: 'text' | 'json'
}

export interface KafkaConfig {
  /** `host:port,…` */
  bootstrap: string
  configFile?: string
  gatewayConfigFile?: string
}

/** How the embedded broker is to run; set exactly when `kafka` is not. */
export interface BrokerSetting {
  listen: HostPort
  /** Where it listens when missing. */
  advertise?: HostPort
  configFile?: string
}

export type Invocation = { show: 'help' | 'version' } | { config: DaemonConfig }

const defaultPort = 8443
const brokerPort = 9092
const fileSettings: readonly SettingName[] = ['kafka-config', 'kafka-gateway-config', 'broker-config', 'site-key-file']
const brokerSettings = ['broker-listen', 'broker-advertise', 'broker-config'] as const
const logLevels: readonly LogLevel[] = ['trace', 'debug', 'info', 'warn', 'error']

/** What is set, and where, for messages. */
type Given = Map<SettingName, { text: string; origin: string }>

/** A flag counts before a variable, a variable before `DIR/linkspand.json`. Throws `usage`, `unsupported`. */
export async function readConfig(args: readonly string[], environment: NodeJS.ProcessEnv): Promise<Invocation> {
  const flags = parseFlags(args)
  if (flags === 'help' || flags === 'version') return { show: flags }
  const near: Given = new Map([...fromEnvironment(environment), ...flags])
  const stateDir = resolve(near.get('state-dir')?.text ?? defaultStateDir(environment))
  const given: Given = new Map([...(await fromFile(stateDir)), ...near])
  return { config: configFrom(given, stateDir) }
}

function parseFlags(args: readonly string[]): Given | 'help' | 'version' {
  const options = Object.fromEntries(settingNames.map((name) => [name, { type: 'string' as const }]))
  try {
    const { values } = parseArgs({
      args: [...args],
      options: { ...options, help: { type: 'boolean', short: 'h' }, version: { type: 'boolean' } },
      allowPositionals: false,
    })
    if (values.help) return 'help'
    if (values.version) return 'version'
    const texts = values as Partial<Record<SettingName, string>>
    return new Map(
      settingNames.flatMap((name) => {
        const text = texts[name]
        return text === undefined ? [] : [[name, { text, origin: `--${name}` }] as const]
      }),
    )
  } catch (error) {
    throw new LinkspanError('usage', `${explainError(error).split('. ')[0]}: see linkspand --help`)
  }
}

/** A variable that is set to nothing is not set. */
function fromEnvironment(environment: NodeJS.ProcessEnv): Given {
  return new Map(
    settingNames.flatMap((name) => {
      const origin = variableOf(name)
      const text = environment[origin]
      return text === undefined || text === '' ? [] : [[name, { text, origin }] as const]
    }),
  )
}

async function fromFile(stateDir: string): Promise<Given> {
  const path = join(stateDir, 'linkspand.json')
  const text = await readFileText(path)
  const given: Given = new Map()
  if (text === undefined) return given
  for (const [name, value] of Object.entries(parseObject(text, path))) {
    if (!settingNames.includes(name as SettingName) || name === 'state-dir') {
      const known = settingNames.filter((one) => one !== 'state-dir').join(', ')
      throw new LinkspanError('usage', `${path} has an unknown key "${name}"; there are ${known}`)
    }
    const parts = Array.isArray(value) ? value : [value]
    if (!parts.every((part) => typeof part === 'string')) {
      throw new LinkspanError('usage', `"${name}" in ${path} has to be a text, or a list of texts`)
    }
    const text = parts.join(',')
    // Where the daemon is started must not decide what its own file means.
    const isFile = fileSettings.includes(name as SettingName)
    given.set(name as SettingName, { text: isFile ? resolve(stateDir, text) : text, origin: `"${name}" in ${path}` })
  }
  return given
}

async function readFileText(path: string): Promise<string | undefined> {
  try {
    return await readTextIfThere(path)
  } catch (cause) {
    throw new LinkspanError('usage', `${path} cannot be read: make it readable, or remove it`, { cause })
  }
}

function parseObject(text: string, path: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value }
  } catch (cause) {
    throw new LinkspanError('usage', `${path} is not JSON`, { cause })
  }
  throw new LinkspanError('usage', `${path} has to hold one JSON object`)
}

function configFrom(given: Given, stateDir: string): DaemonConfig {
  const listen = addressFrom(given, 'listen') ?? { host: '127.0.0.1', port: defaultPort }
  return {
    stateDir,
    listen,
    advertise: listFrom(given, 'advertise').map((text) => {
      return formatAddress(checkedAddress(text, originOf(given, 'advertise'), listen.port))
    }),
    name: given.get('name')?.text.trim() || hostname(),
    ...fronted(given),
    logLevel: choiceFrom(given, 'log-level', logLevels, 'info'),
    logFormat: choiceFrom(given, 'log-format', ['text', 'json'], 'text'),
  }
}

function fronted(given: Given): Pick<DaemonConfig, 'kafka' | 'broker'> {
  const siteKey = given.get('site-key-file')
  if (siteKey) throw new LinkspanError('unsupported', `${siteKey.origin} cannot be used in this version: leave it out`)
  const bootstrap = listFrom(given, 'kafka').join(',')
  if (bootstrap === '') return { broker: brokerFrom(given) }
  const stray = brokerSettings.map((name) => given.get(name)).find((found) => found !== undefined)
  if (stray) {
    const problem = `${stray.origin} is about the embedded broker, which does not run where a Kafka is fronted`
    throw new LinkspanError('usage', `${problem}: leave it out, or leave ${originOf(given, 'kafka')} out`)
  }
  const configFile = given.get('kafka-config')?.text
  const gatewayConfigFile = given.get('kafka-gateway-config')?.text
  const kafka = {
    bootstrap,
    ...(configFile ? { configFile } : {}),
    ...(gatewayConfigFile ? { gatewayConfigFile } : {}),
  }
  return { kafka }
}

function brokerFrom(given: Given): BrokerSetting {
  for (const name of ['kafka-config', 'kafka-gateway-config'] as const) {
    const found = given.get(name)
    if (!found) continue
    const wayOut = 'give its bootstrap servers with --kafka HOST:PORT,…, or leave it out'
    throw new LinkspanError('usage', `${found.origin} is about a Kafka that is not given: ${wayOut}`)
  }
  const listen = addressFrom(given, 'broker-listen', brokerPort) ?? { host: '127.0.0.1', port: brokerPort }
  const advertise = addressFrom(given, 'broker-advertise', listen.port)
  if (!advertise && ['0.0.0.0', '::'].includes(listen.host)) {
    const problem = `${originOf(given, 'broker-listen')} is every address of this host`
    const wayOut = 'say which of them clients are to use with --broker-advertise HOST:PORT'
    throw new LinkspanError('usage', `${problem}, and none that a client can be told: ${wayOut}`)
  }
  const configFile = given.get('broker-config')?.text
  return { listen, ...(advertise ? { advertise } : {}), ...(configFile ? { configFile } : {}) }
}

function listFrom(given: Given, name: SettingName): string[] {
  const parts = given.get(name)?.text.split(',') ?? []
  return parts.map((part) => part.trim()).filter((part) => part !== '')
}

function addressFrom(given: Given, name: SettingName, port?: number): HostPort | undefined {
  const found = given.get(name)
  return found && checkedAddress(found.text, found.origin, port)
}

function checkedAddress(text: string, origin: string, port?: number): HostPort {
  try {
    return parseAddress(text, port)
  } catch (error) {
    throw new LinkspanError('usage', `${origin}: ${explainError(error)}`)
  }
}

function choiceFrom<Value extends string>(
  given: Given,
  name: SettingName,
  values: readonly Value[],
  fallback: Value,
): Value {
  const found = given.get(name)
  if (!found) return fallback
  const value = values.find((one) => one === found.text.toLowerCase())
  if (value) return value
  throw new LinkspanError('usage', `${found.origin} has to be one of ${values.join(', ')}, got "${found.text}"`)
}

function originOf(given: Given, name: SettingName): string {
  return given.get(name)?.origin ?? `--${name}`
}

function defaultStateDir(environment: NodeJS.ProcessEnv): string {
  if (process.getuid?.() === 0) return '/var/lib/linkspan'
  return join(environment.HOME || homedir(), '.local/state/linkspan')
}
