import type { Certificates } from './certificates.ts'
import { jaas, type Properties } from './properties.ts'

export type SaslMechanism = 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512'

export interface SecurityOptions {
  /** Kafka's StandardAuthorizer, which denies what no ACL allows. */
  authorizer?: boolean
  sasl?: SaslMechanism
  tls?: boolean
  /** Principals such as `User:alice`, beside `User:admin` and the brokers' own. */
  superUsers?: string[]
  /** Passwords by name, beside those of `defaultUsers`. */
  users?: Record<string, string>
}

/** Every cluster with SASL has these. The admin is a super user. */
export const defaultUsers = { admin: 'admin-secret', alice: 'alice-secret', bob: 'bob-secret' } as const
export const brokerUser = { name: 'broker', password: 'broker-secret' } as const

export function usersOf(options: SecurityOptions): Record<string, string> {
  return { ...defaultUsers, ...options.users }
}

/** The listener CLIENT is as the test wants it; brokers and controllers talk among themselves with PLAIN or plainly. */
export function securityProperties(options: SecurityOptions, certificates: Certificates | undefined): Properties {
  const { authorizer = false, sasl } = options
  const internal = authorizer ? 'SASL_PLAINTEXT' : 'PLAINTEXT'
  const map = { CLIENT: clientProtocol(options), INTERNAL: internal, CONTROLLER: internal }
  const mechanisms = new Set([...(sasl ? [sasl] : []), ...(authorizer ? ['PLAIN'] : [])])
  return {
    'listener.security.protocol.map': Object.entries(map)
      .map(([listener, protocol]) => `${listener}:${protocol}`)
      .join(','),
    'inter.broker.listener.name': 'INTERNAL',
    'controller.listener.names': 'CONTROLLER',
    ...(mechanisms.size > 0 ? { 'sasl.enabled.mechanisms': [...mechanisms].join(',') } : {}),
    ...(sasl ? clientLogin(sasl, options) : {}),
    ...(authorizer ? innerLogin(options) : {}),
    ...(certificates ? keyStore(certificates) : {}),
  }
}

export function clientProtocol({ sasl, tls }: SecurityOptions): string {
  if (sasl) return tls ? 'SASL_SSL' : 'SASL_PLAINTEXT'
  return tls ? 'SSL' : 'PLAINTEXT'
}

/** What a Java client needs, and what `--kafka-config` takes; without `bootstrap.servers`. */
export function clientProperties(
  options: SecurityOptions,
  certificates: Certificates | undefined,
  user: string,
): Properties {
  const password = usersOf(options)[user]
  if (options.sasl && password === undefined) throw new Error(`the test cluster has no user ${user}`)
  return {
    'security.protocol': clientProtocol(options),
    ...(options.sasl
      ? {
          'sasl.mechanism': options.sasl,
          'sasl.jaas.config': jaas(loginModule(options.sasl), { username: user, password: password! }),
        }
      : {}),
    ...(certificates ? { 'ssl.truststore.type': 'PEM', 'ssl.truststore.certificates': certificates.authority } : {}),
  }
}

export function loginModule(mechanism: SaslMechanism): 'plain.PlainLoginModule' | 'scram.ScramLoginModule' {
  return mechanism === 'PLAIN' ? 'plain.PlainLoginModule' : 'scram.ScramLoginModule'
}

function clientLogin(mechanism: SaslMechanism, options: SecurityOptions): Properties {
  const users = Object.entries(usersOf(options)).map(([name, password]) => [`user_${name}`, password])
  const known = mechanism === 'PLAIN' ? Object.fromEntries(users) : {}
  const key = `listener.name.client.${mechanism.toLowerCase()}.sasl.jaas.config`
  return {
    'listener.name.client.sasl.enabled.mechanisms': mechanism,
    [key]: jaas(loginModule(mechanism), known),
  }
}

function innerLogin({ superUsers = [] }: SecurityOptions): Properties {
  const { name, password } = brokerUser
  const login = jaas('plain.PlainLoginModule', {
    username: name,
    password,
    [`user_${name}`]: password,
    user_admin: defaultUsers.admin,
  })
  return {
    'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    'super.users': [`User:${name}`, 'User:admin', ...superUsers].join(';'),
    'sasl.mechanism.inter.broker.protocol': 'PLAIN',
    'sasl.mechanism.controller.protocol': 'PLAIN',
    'listener.name.internal.sasl.enabled.mechanisms': 'PLAIN',
    'listener.name.internal.plain.sasl.jaas.config': login,
    'listener.name.controller.sasl.enabled.mechanisms': 'PLAIN',
    'listener.name.controller.plain.sasl.jaas.config': login,
  }
}

/** Clients may show a certificate of the same authority, and are then known by its subject. */
function keyStore({ authority, server }: Certificates): Properties {
  return {
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.certificate.chain': server.certificate,
    'ssl.keystore.key': server.key,
    'ssl.truststore.type': 'PEM',
    'ssl.truststore.certificates': authority,
    'ssl.client.auth': 'requested',
  }
}
