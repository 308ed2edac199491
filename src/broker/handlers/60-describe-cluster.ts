import { describeCluster } from '../../wire/api/60-describe-cluster.ts'
import { kafkaErrors } from '../../wire/errors.ts'
import { answer, defineHandler } from './handler.ts'
import { operationsNotAsked, visibleClusterOperations } from './topic-rights.ts'

const brokers = 1
const controllers = 2

/** This one broker. Of controllers it has none of its own to tell. */
export const describeClusterHandler = defineHandler<typeof describeCluster>({
  api: describeCluster,
  versions: describeCluster.versions,
  handle({ endpointType, includeClusterAuthorizedOperations }, { node, session }) {
    if (endpointType === controllers) {
      const errorMessage =
        'The request was sent to an endpoint of type BROKER, but we wanted an endpoint of type CONTROLLER'
      return answer<typeof describeCluster>({ errorCode: kafkaErrors.MISMATCHED_ENDPOINT_TYPE, errorMessage })
    }
    if (endpointType !== brokers) {
      const errorMessage = `Unsupported endpoint type ${endpointType}`
      return answer<typeof describeCluster>({ errorCode: kafkaErrors.UNSUPPORTED_ENDPOINT_TYPE, errorMessage })
    }
    const { host, port } = node.advertised()
    return answer<typeof describeCluster>({
      endpointType,
      clusterId: node.clusterId,
      controllerId: node.config.nodeId,
      brokers: [{ brokerId: node.config.nodeId, host, port }],
      clusterAuthorizedOperations: includeClusterAuthorizedOperations
        ? visibleClusterOperations(session)
        : operationsNotAsked,
    })
  },
})
