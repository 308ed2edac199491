import { deleteGroups } from '../../wire/api/42-delete-groups.ts'
import { kafkaErrors } from '../../wire/errors.ts'
import { mayGroup } from '../groups/rights.ts'
import { answer, defineHandler } from './handler.ts'

export const deleteGroupsHandler = defineHandler<typeof deleteGroups>({
  api: deleteGroups,
  versions: deleteGroups.versions,
  async handle({ groupsNames }, { node, session }) {
    const results = [...new Set(groupsNames)].map(async (groupId) => {
      const mayDelete = mayGroup(session, 'can_edit', groupId)
      const error = mayDelete ? await node.groups.delete(groupId) : 'GROUP_AUTHORIZATION_FAILED'
      return { groupId, errorCode: kafkaErrors[error] }
    })
    return answer<typeof deleteGroups>({ results: await Promise.all(results) })
  },
})
