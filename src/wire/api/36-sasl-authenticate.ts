import { bytes, defineApi, int16, int64, string } from '../schema.ts'

/**
 * One step of a SASL exchange after SaslHandshake v1. v1 tells after how many milliseconds the client has to
 * authenticate again (0: never), v2 is flexible.
 */
export const saslAuthenticate = defineApi({
  key: 36,
  name: 'SaslAuthenticate',
  versions: [0, 2],
  flexible: 2,
  request: {
    authBytes: bytes(),
  },
  response: {
    errorCode: int16(),
    errorMessage: string({ nullable: 0 }),
    authBytes: bytes(),
    sessionLifetimeMs: int64({ from: 1, ignorable: true }),
  },
})
