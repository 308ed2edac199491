import { saslAuthenticate } from '../../wire/api/36-sasl-authenticate.ts'
import { kafkaErrors } from '../../wire/errors.ts'
import { answer, defineHandler } from './handler.ts'

export const saslAuthenticateHandler = defineHandler<typeof saslAuthenticate>({
  api: saslAuthenticate,
  versions: [0, 2],
  async handle({ authBytes }, { session: { login } }) {
    if (!login) {
      const errorMessage = 'This listener asks for no login: set security.protocol to PLAINTEXT or SSL'
      return answer<typeof saslAuthenticate>({ errorCode: kafkaErrors.ILLEGAL_SASL_STATE, errorMessage })
    }
    const step = await login.step(authBytes)
    if (step.ok) return answer<typeof saslAuthenticate>({ errorMessage: null, authBytes: step.answer })
    const { error, message } = step
    return answer<typeof saslAuthenticate>({ errorCode: kafkaErrors[error], errorMessage: message })
  },
})
