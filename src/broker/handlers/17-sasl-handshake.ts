import { saslHandshake } from '../../wire/api/17-sasl-handshake.ts'
import { kafkaErrors } from '../../wire/errors.ts'
import { answer, defineHandler } from './handler.ts'

/** Version 0 would have bare SASL bytes follow, without a Kafka header: clients since 1.0 do not need it. */
export const saslHandshakeHandler = defineHandler<typeof saslHandshake>({
  api: saslHandshake,
  versions: [1, 1],
  handle({ mechanism }, { session: { login } }) {
    if (!login) return answer<typeof saslHandshake>({ errorCode: kafkaErrors.ILLEGAL_SASL_STATE, mechanisms: [] })
    const errorCode = login.begin(mechanism) ? kafkaErrors.NONE : kafkaErrors.UNSUPPORTED_SASL_MECHANISM
    return answer<typeof saslHandshake>({ errorCode, mechanisms: [...login.mechanisms] })
  },
})
