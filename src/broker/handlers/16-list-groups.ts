import { listGroups } from '../../wire/api/16-list-groups.ts'
import { mayGroup } from '../groups/rights.ts'
import { answer, defineHandler } from './handler.ts'

const groupType = 'classic'

/** Those that the caller may see. Filters take any case; an empty one takes all. */
export const listGroupsHandler = defineHandler<typeof listGroups>({
  api: listGroups,
  versions: listGroups.versions,
  handle({ statesFilter, typesFilter }, { node, session }) {
    const states = new Set(statesFilter.map((state) => state.toLowerCase()))
    const types = new Set(typesFilter.map((type) => type.toLowerCase()))
    if (types.size > 0 && !types.has(groupType)) return answer<typeof listGroups>({ groups: [] })
    const groups = node.groups
      .list()
      .filter(({ state }) => states.size === 0 || states.has(state.toLowerCase()))
      .filter(({ groupId }) => mayGroup(session, 'can_view', groupId))
      .map(({ groupId, protocolType, state }) => ({ groupId, protocolType, groupState: state, groupType }))
    return answer<typeof listGroups>({ groups })
  },
})
