import { LinkspanError } from '../base/errors.ts'
import { Reader } from '../bytes/reader.ts'
import { apiVersions } from '../wire/api/18-api-versions.ts'
import { kafkaErrorName, kafkaErrors } from '../wire/errors.ts'
import { decodeResponse } from '../wire/frame.ts'
import type { Api, ResponseOf } from '../wire/schema.ts'

/** What the broker at the other end of a connection speaks. */
export class BrokerVersions {
  readonly #ranges: ReadonlyMap<number, readonly [min: number, max: number]>
  /** Finalized cluster features, such as `metadata.version`, by their level. */
  readonly features: ReadonlyMap<string, number>
  readonly #peer: string

  constructor(answer: ResponseOf<typeof apiVersions>, peer: string) {
    this.#ranges = new Map(answer.apiKeys.map((one) => [one.apiKey, [one.minVersion, one.maxVersion] as const]))
    this.features = new Map(answer.finalizedFeatures.map((one) => [one.name, one.maxVersionLevel]))
    this.#peer = peer
  }

  range(api: Api): readonly [min: number, max: number] | undefined {
    return this.#ranges.get(api.key)
  }

  /** The highest version that both sides speak, up to `versionMax`. Errors: `unsupported`. */
  choose(api: Api, versionMax = Number.POSITIVE_INFINITY): number {
    const range = this.#ranges.get(api.key)
    if (!range) {
      throw new LinkspanError('unsupported', `${this.#peer} does not offer ${api.name}: its Kafka lacks this feature`)
    }
    const version = Math.min(range[1], api.versions[1], versionMax)
    if (version >= range[0] && version >= api.versions[0]) return version
    const ours = `${api.versions[0]} to ${Math.min(api.versions[1], versionMax)}`
    throw new LinkspanError(
      'unsupported',
      `${this.#peer} speaks ${api.name} in versions ${range[0]} to ${range[1]}, we need one of ${ours}`,
    )
  }
}

export interface VersionsAnswer {
  answer?: ResponseOf<typeof apiVersions>
  /** Ask again in this version: the broker does not speak the one that we tried. */
  askAgain?: number
}

/**
 * Reads the answer to ApiVersions. A broker that does not speak the version asked for answers in version 0 with error
 * 35 and, from 2.4 on, with the range that it does speak.
 */
export function readVersionsAnswer(frame: Uint8Array, version: number): VersionsAnswer {
  const errorCode = new Reader(frame, 4).int16()
  if (errorCode === 0) return { answer: decodeResponse(apiVersions, version, frame) }
  if (errorCode !== kafkaErrors.UNSUPPORTED_VERSION || version === 0) {
    throw new LinkspanError('unsupported', `The broker refused to tell its versions (${kafkaErrorName(errorCode)})`)
  }
  const { apiKeys } = decodeResponse(apiVersions, 0, frame)
  const range = apiKeys.find((one) => one.apiKey === apiVersions.key)
  return { askAgain: Math.max(0, Math.min(range?.maxVersion ?? 0, version - 1)) }
}
