import { array, bool, defineApi, int16, int32, int64, string } from '../schema.ts'

/**
 * The versions that a broker speaks. Asked first on every connection; a broker that does not know the version asked for
 * answers in version 0 with error 35. v3 adds the client's name and, as tagged fields, the finalized features.
 */
export const apiVersions = defineApi({
  key: 18,
  name: 'ApiVersions',
  versions: [0, 4],
  flexible: 3,
  request: {
    clientSoftwareName: string({ from: 3, ignorable: true }),
    clientSoftwareVersion: string({ from: 3, ignorable: true }),
  },
  response: {
    errorCode: int16(),
    apiKeys: array({ apiKey: int16(), minVersion: int16(), maxVersion: int16() }),
    throttleTimeMs: int32({ from: 1, ignorable: true }),
    supportedFeatures: array(
      { name: string({ from: 3 }), minVersion: int16({ from: 3 }), maxVersion: int16({ from: 3 }) },
      { from: 3, tag: 0, ignorable: true },
    ),
    finalizedFeaturesEpoch: int64({ from: 3, tag: 1, default: -1, ignorable: true }),
    finalizedFeatures: array(
      { name: string({ from: 3 }), maxVersionLevel: int16({ from: 3 }), minVersionLevel: int16({ from: 3 }) },
      { from: 3, tag: 2, ignorable: true },
    ),
    zkMigrationReady: bool({ from: 3, tag: 3, ignorable: true }),
  },
})
