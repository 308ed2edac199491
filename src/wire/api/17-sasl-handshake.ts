import { array, defineApi, int16, string } from '../schema.ts'

/**
 * Chooses the SASL mechanism and tells those that the listener has. After v0 the SASL bytes follow bare, each behind
 * a four-byte size; after v1 inside SaslAuthenticate. Never flexible.
 */
export const saslHandshake = defineApi({
  key: 17,
  name: 'SaslHandshake',
  versions: [0, 1],
  flexible: Number.POSITIVE_INFINITY,
  request: {
    mechanism: string(),
  },
  response: {
    errorCode: int16(),
    mechanisms: array(string()),
  },
})
