import { array, bool, defineApi, int8, int16, int32, string } from '../schema.ts'

/**
 * Configuration of topics (2), brokers (4), broker loggers (8), client metrics (16) or groups (32), with where each
 * value comes from. Null keys ask for all; a sensitive value is null. v1 adds synonyms and the source, v3 type and
 * documentation, v4 is flexible. Broker configurations must be asked at that broker.
 */
export const describeConfigs = defineApi({
  key: 32,
  name: 'DescribeConfigs',
  versions: [1, 4],
  flexible: 4,
  request: {
    resources: array({
      resourceType: int8(),
      resourceName: string(),
      configurationKeys: array(string(), { nullable: 0 }),
    }),
    includeSynonyms: bool(),
    includeDocumentation: bool({ from: 3 }),
  },
  response: {
    throttleTimeMs: int32(),
    results: array({
      errorCode: int16(),
      errorMessage: string({ nullable: 0 }),
      resourceType: int8(),
      resourceName: string(),
      configs: array({
        name: string(),
        value: string({ nullable: 0 }),
        readOnly: bool(),
        configSource: int8({ default: -1 }),
        isSensitive: bool(),
        synonyms: array({
          name: string(),
          value: string({ nullable: 0 }),
          source: int8(),
        }),
        configType: int8({ from: 3, ignorable: true }),
        documentation: string({ from: 3, nullable: 0, ignorable: true }),
      }),
    }),
  },
})
