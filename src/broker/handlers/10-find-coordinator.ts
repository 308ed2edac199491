import { findCoordinator } from '../../wire/api/10-find-coordinator.ts'
import { kafkaErrorDescription, kafkaErrors } from '../../wire/errors.ts'
import { mayGroup } from '../groups/rights.ts'
import { answer, defineHandler, type RequestContext } from './handler.ts'

const groupType = 0
const transactionType = 1
const manyKeysVersion = 4
/** v6 adds share groups, which are not offered here. */
const versionMax = 5

interface Coordinator {
  key: string
  nodeId: number
  host: string
  port: number
  errorCode: number
  errorMessage: string | null
}

/** Every group is coordinated here, whether it exists or not. */
export const findCoordinatorHandler = defineHandler<typeof findCoordinator>({
  api: findCoordinator,
  versions: [findCoordinator.versions[0], versionMax],
  handle({ key, keyType, coordinatorKeys }, context) {
    if (context.version < manyKeysVersion) return answer<typeof findCoordinator>(find(key, keyType, context))
    const coordinators = coordinatorKeys.map((each) => find(each, keyType, context))
    return answer<typeof findCoordinator>({ coordinators })
  },
})

/**
 * There is no coordinator of transactions. COORDINATOR_NOT_AVAILABLE would be the word for it, but clients ask again
 * and again then, until `initTransactions` times out after a minute; and librdkafka takes any other error for a passing
 * one too. That nobody is permitted to use a transactional id is what all clients take as final, at once.
 */
function find(key: string, keyType: number, { node, session }: RequestContext): Coordinator {
  switch (keyType) {
    case groupType: {
      if (!mayGroup(session, 'can_view', key)) return refused(key, kafkaErrors.GROUP_AUTHORIZATION_FAILED)
      const { host, port } = node.advertised()
      return { key, nodeId: node.config.nodeId, host, port, errorCode: 0, errorMessage: null }
    }
    case transactionType: {
      const message = 'This broker has no transactions: leave transactional.id unset'
      return refused(key, kafkaErrors.TRANSACTIONAL_ID_AUTHORIZATION_FAILED, message)
    }
    default:
      return refused(key, kafkaErrors.INVALID_REQUEST, `This broker coordinates nothing of key type ${keyType}`)
  }
}

function refused(key: string, errorCode: number, errorMessage = kafkaErrorDescription(errorCode)): Coordinator {
  return { key, nodeId: -1, host: '', port: -1, errorCode, errorMessage }
}
