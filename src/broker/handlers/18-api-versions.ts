import { produce } from '../../wire/api/00-produce.ts'
import { saslHandshake } from '../../wire/api/17-sasl-handshake.ts'
import { apiVersions } from '../../wire/api/18-api-versions.ts'
import { kafkaErrors } from '../../wire/errors.ts'
import type { ResponseInput } from '../../wire/schema.ts'
import { answer, defineHandler, type Handler } from './handler.ts'

type Answer = ResponseInput<typeof apiVersions>

/**
 * librdkafka takes compression and SASL for missing where these ranges do not begin at 0, whatever else they hold
 * (KAFKA-18659), and then uses higher versions all the same. Apache's broker tells the same of Produce.
 */
const toldFromZero: ReadonlySet<number> = new Set([produce.key, saslHandshake.key])

/** What Apache takes as the name and version of a client's software. */
const softwarePattern = /^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?$/

/** Tells what the table of handlers holds, this one included. */
export function apiVersionsHandler(handlers: () => readonly Handler[]): Handler {
  let told: Answer | undefined
  return defineHandler<typeof apiVersions>({
    api: apiVersions,
    versions: apiVersions.versions,
    handle({ clientSoftwareName, clientSoftwareVersion }, { version }) {
      const named = softwarePattern.test(clientSoftwareName) && softwarePattern.test(clientSoftwareVersion)
      if (version >= 3 && !named) return answer<typeof apiVersions>({ errorCode: kafkaErrors.INVALID_REQUEST })
      told ??= versionsAnswer(handlers())
      return answer<typeof apiVersions>(told)
    },
  })
}

function versionsAnswer(handlers: readonly Handler[]): Answer {
  const apiKeys = handlers.map(({ api, versions: [min, max] }) => {
    return { apiKey: api.key, minVersion: toldFromZero.has(api.key) ? 0 : min, maxVersion: max }
  })
  return { apiKeys: apiKeys.sort((left, right) => left.apiKey - right.apiKey) }
}

/** For a version that we do not know, in version 0: the client then asks again in one that it finds here. */
export const unknownVersionAnswer: Answer = {
  errorCode: kafkaErrors.UNSUPPORTED_VERSION,
  apiKeys: [{ apiKey: apiVersions.key, minVersion: apiVersions.versions[0], maxVersion: apiVersions.versions[1] }],
}
