import { integerKey, type KeyFacts, key } from './config-key.ts'

const kafkaOnly = { reach: ['kafka'] } as const
const secret = { reach: ['kafka'], sensitive: true } as const
const text = (description: string, fallback: string | null = null) => key('text', fallback, description, kafkaOnly)
const seconds = (fallback: number, min: number, max: number, description: string) => {
  return integerKey(fallback, min, description, { max, ...kafkaOnly })
}
const fraction = (fallback: number, min: number, max: number, description: string) => {
  return key('number', String(fallback), description, { min, max, ...kafkaOnly })
}

/** How the source is read. */
export const clientKeys: Record<string, KeyFacts> = {
  'client.dns.lookup': key('enum', 'use_all_dns_ips', 'How host names become addresses', {
    values: ['use_all_dns_ips', 'resolve_canonical_bootstrap_servers_only'],
    ...kafkaOnly,
  }),
  'connections.max.idle.ms': integerKey(600_000, 1000, 'Idle connections are closed after this'),
  'request.timeout.ms': integerKey(30_000, 1000, 'How long a request may take'),
  'default.api.timeout.ms': integerKey(60_000, 1000, 'How long a call may take, its retries included'),
  'retry.backoff.ms': integerKey(100, 0, 'Wait before a retry'),
  'reconnect.backoff.ms': integerKey(50, 0, 'First wait before a connection is tried again'),
  'reconnect.backoff.max.ms': integerKey(1000, 0, 'Longest wait before a connection is tried again'),
  'socket.connection.setup.timeout.ms': integerKey(10_000, 1000, 'How long the first try to connect may take'),
  'socket.connection.setup.timeout.max.ms': integerKey(30_000, 1000, 'How long a later try to connect may take'),
  'replica.fetch.max.bytes': integerKey(1_048_576, 1, 'Data of one partition in one answer', { max: 104_857_600 }),
  'replica.fetch.min.bytes': integerKey(1, 1, 'Data that the source waits for'),
  'replica.fetch.response.max.bytes': integerKey(10_485_760, 1, 'Data in one answer', { max: 104_857_600 }),
  'replica.fetch.wait.max.ms': integerKey(500, 0, 'How long the source may wait for data', { max: 60_000 }),
  'replica.fetch.backoff.ms': integerKey(1000, 0, 'Wait after a failed read'),
  'replica.socket.timeout.ms': integerKey(30_000, 1000, 'How long a read may take'),
  'replica.socket.receive.buffer.bytes': integerKey(-1, -1, "The socket's receive buffer; -1 is the system's"),
}

const securityKeys: Record<string, KeyFacts> = {
  'security.protocol': key('enum', 'PLAINTEXT', 'How Kafka is talked to', {
    values: ['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL'],
    ...kafkaOnly,
  }),
  'sasl.mechanism': key('enum', 'GSSAPI', 'How we log in', {
    values: ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER', 'GSSAPI'],
    ...kafkaOnly,
  }),
  'sasl.jaas.config': key('text', null, 'User and password, in the form of a JAAS line', secret),
  'sasl.client.callback.handler.class': text('A Java class; not used'),
  'sasl.login.callback.handler.class': text('A Java class; not used'),
  'sasl.login.class': text('A Java class; not used'),
  'sasl.login.refresh.buffer.seconds': seconds(300, 0, 3600, 'Refresh a login so long before it ends'),
  'sasl.login.refresh.min.period.seconds': seconds(60, 0, 900, 'Shortest time between refreshes'),
  'sasl.login.refresh.window.factor': fraction(0.8, 0.5, 1, 'Share of its life after which a login is refreshed'),
  'sasl.login.refresh.window.jitter': fraction(0.05, 0, 0.25, 'Random part of that share'),
  'sasl.oauthbearer.token.endpoint.url': text('Where OAuth tokens come from'),
  'sasl.kerberos.service.name': text('Kerberos: the principal name of Kafka'),
  'sasl.kerberos.kinit.cmd': text('Kerberos: path of kinit', '/usr/bin/kinit'),
  'sasl.kerberos.min.time.before.relogin': integerKey(60_000, 0, 'Kerberos: time between refreshes in ms', kafkaOnly),
  'sasl.kerberos.ticket.renew.jitter': fraction(0.05, 0, 1, 'Kerberos: random part of the renewal time'),
  'sasl.kerberos.ticket.renew.window.factor': fraction(0.8, 0, 1, 'Kerberos: share of life after which to renew'),
  'ssl.cipher.suites': key('list', null, 'TLS cipher suites', kafkaOnly),
  'ssl.enabled.protocols': key('list', 'TLSv1.2,TLSv1.3', 'TLS versions', kafkaOnly),
  'ssl.endpoint.identification.algorithm': text("https: the host's name is checked; empty: it is not", 'https'),
  'ssl.engine.factory.class': text('A Java class; not used'),
  'ssl.protocol': text('TLS version to begin with', 'TLSv1.3'),
  'ssl.provider': text('A Java security provider; not used'),
  'ssl.secure.random.implementation': text('A Java random source; not used'),
  'ssl.keymanager.algorithm': text('A Java algorithm; not used', 'SunX509'),
  'ssl.trustmanager.algorithm': text('A Java algorithm; not used', 'PKIX'),
  'ssl.key.password': key('text', null, 'Opens the private key', secret),
  'ssl.keystore.type': text('PEM is the form that can be used', 'JKS'),
  'ssl.keystore.location': text('File of our certificate and key'),
  'ssl.keystore.password': key('text', null, 'Opens that file', secret),
  'ssl.keystore.key': key('text', null, 'Our private key, PEM', secret),
  'ssl.keystore.certificate.chain': text('Our certificates, PEM'),
  'ssl.truststore.type': text('PEM is the form that can be used', 'JKS'),
  'ssl.truststore.location': text('File of the roots that are trusted'),
  'ssl.truststore.password': key('text', null, 'Opens that file', secret),
  'ssl.truststore.certificates': text('The roots that are trusted, PEM'),
}

/** Each security key has a twin for the link's own side. */
export const securityKeysWithTwins: Record<string, KeyFacts> = {
  ...securityKeys,
  ...Object.fromEntries(
    Object.entries(securityKeys).map(([name, facts]) => {
      return [`local.${name}`, { ...facts, default: null, description: `${facts.description} (for this side's Kafka)` }]
    }),
  ),
}
