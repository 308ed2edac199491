/** What can be set from outside: by a flag, by the environment, or by a key of `DIR/linkspand.json`. */
export interface Setting {
  /** What stands after the flag, for the help. */
  value: string
  description: string
  /** Its name in the environment when that is not LINKSPAN_ and the flag. */
  variable?: string
}

export const settings = {
  'state-dir': {
    value: 'DIR',
    description: 'Where everything is kept (default /var/lib/linkspan for root, else ~/.local/state/linkspan)',
    variable: 'LINKSPAN_DIR',
  },
  listen: { value: 'HOST:PORT', description: 'The one TLS port (default 127.0.0.1:8443; port 0 is any free one)' },
  advertise: { value: 'HOST:PORT,…', description: 'The addresses that tokens name (default: those listened on)' },
  name: { value: 'NAME', description: 'What this host is called (default: its host name)' },
  kafka: { value: 'BOOTSTRAP,…', description: 'The Kafka cluster to front (default: the embedded broker runs)' },
  'kafka-config': { value: 'FILE', description: "A Kafka client's properties file: how to log in there" },
  'kafka-gateway-config': { value: 'FILE', description: 'The same for what linked clusters read (default: as above)' },
  'broker-listen': { value: 'HOST:PORT', description: 'Where the embedded broker listens (default 127.0.0.1:9092)' },
  'broker-advertise': {
    value: 'HOST:PORT',
    description: 'Where clients are told to find it (default: as listened on)',
  },
  'broker-config': { value: 'FILE', description: "The embedded broker's properties file: security, users, limits" },
  'site-key-file': { value: 'FILE', description: 'The key that the hosts of one site share' },
  'log-level': { value: 'LEVEL', description: 'trace, debug, info, warn or error (default info)' },
  'log-format': { value: 'FORMAT', description: 'text or json (default text)' },
} as const satisfies Record<string, Setting>

export type SettingName = keyof typeof settings

export const settingNames = Object.keys(settings) as SettingName[]

export function variableOf(name: SettingName): string {
  const setting: Setting = settings[name]
  return setting.variable ?? `LINKSPAN_${name.toUpperCase().replaceAll('-', '_')}`
}

export function helpText(): string {
  const flags = settingNames.map((name) => [`--${name} ${settings[name].value}`, settings[name].description] as const)
  const lines = [...flags, ['--help', 'Show this'], ['--version', 'Show the version']]
  const width = Math.max(...lines.map(([flag]) => flag!.length))
  return [
    'Usage: linkspand [flags]',
    '',
    'Runs one Linkspan daemon in the foreground.',
    '',
    ...lines.map(([flag, description]) => `  ${flag!.padEnd(width)}  ${description}`),
    '',
    'Each flag is also a variable (--log-level is LINKSPAN_LOG_LEVEL, --state-dir is LINKSPAN_DIR) and a key of',
    'DIR/linkspand.json. A flag counts before a variable, a variable before the file.',
    '',
  ].join('\n')
}
