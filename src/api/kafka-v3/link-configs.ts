import { LinkspanError } from '../../base/errors.ts'
import { AlterConfigs, KafkaLinkConfig, KafkaLinkConfigList, PutConfig } from '../../contract/kafka-v3.ts'
import { type DescribedConfig, describeConfig, describeKey } from '../../contract/shown-config.ts'
import type { LinkRow } from '../../link/rows.ts'
import type { ApiRequest } from '../request.ts'
import { defineRoute, type Route } from '../route.ts'
import { linkChanged } from '../v1/cluster-link-events.ts'
import { alterationsOf, type ConfigChange, textOf } from './config-input.ts'
import { itemMetadata, linkAccess, linkOf, linkPath, listOf, noContent, ok, urlOf, type V3Rooms } from './rooms.ts'

const collection = `${linkPath}/configs`
const item = `${collection}/:config`

export function linkConfigRoutes(rooms: V3Rooms): Route[] {
  return [
    listRoute(rooms),
    getRoute(rooms),
    changeRoute(rooms, 'PUT', 'Set one config of a cluster link'),
    changeRoute(rooms, 'DELETE', 'Bring the default of a config back'),
    alterRoute(rooms, 'PUT'),
    alterRoute(rooms, 'POST'),
  ]
}

function listRoute(rooms: V3Rooms): Route {
  return defineRoute({
    method: 'GET',
    path: collection,
    summary: 'List all configs of a cluster link, those that are not set with their defaults',
    access: linkAccess('can_view'),
    result: KafkaLinkConfigList,
    handler: (request) => {
      const link = linkOf(rooms, request)
      const configs = describeConfig(link.config).map((config) => showConfig(request, link, config))
      const self = urlOf(request, request.param('cluster'), 'links', link.name, 'configs')
      return ok(listOf('KafkaLinkConfigDataList', self, configs))
    },
  })
}

function getRoute(rooms: V3Rooms): Route {
  return defineRoute({
    method: 'GET',
    path: item,
    summary: 'Show one config of a cluster link',
    access: linkAccess('can_view'),
    result: KafkaLinkConfig,
    handler: (request) => {
      const link = linkOf(rooms, request)
      const described = describeKey(link.config, request.param('config'))
      if (described) return ok(showConfig(request, link, described))
      throw new LinkspanError('not-found', `There is no config key "${request.param('config')}"`)
    },
  })
}

function changeRoute(rooms: V3Rooms, method: 'PUT' | 'DELETE', summary: string): Route {
  return defineRoute({
    method,
    path: item,
    summary,
    access: linkAccess('can_edit'),
    ...(method === 'PUT' ? { body: PutConfig } : {}),
    handler: async (request) => {
      const link = linkOf(rooms, request)
      const value = method === 'PUT' ? textOf((request.body as PutConfig).value) : null
      const changed = await rooms.links.alterConfig(link.name, [{ name: request.param('config'), value }])
      linkChanged(rooms, request, 'updated', changed)
      return noContent()
    },
  })
}

/** All changes or none. PUT by the schema, POST by habit. */
function alterRoute(rooms: V3Rooms, method: 'PUT' | 'POST'): Route {
  return defineRoute({
    method,
    path: `${linkPath}/configs::alter`,
    summary: 'Change several configs of a cluster link at once',
    access: linkAccess('can_edit'),
    query: { validate_only: 'true: say what would go wrong, and change nothing' },
    body: AlterConfigs,
    handler: async (request) => {
      const link = linkOf(rooms, request)
      const changes: ConfigChange[] = alterationsOf(request.body)
      const validateOnly = request.body.validate_only ?? request.flag('validate_only')
      const changed = await rooms.links.alterConfig(link.name, changes, { validateOnly })
      if (!validateOnly) linkChanged(rooms, request, 'updated', changed)
      return noContent()
    },
  })
}

function showConfig(request: ApiRequest, link: LinkRow, config: DescribedConfig): KafkaLinkConfig {
  const cluster = request.param('cluster')
  const { key, name, value, isDefault, isReadOnly } = config
  return {
    kind: 'KafkaLinkConfigData',
    metadata: itemMetadata(urlOf(request, cluster, 'links', link.name, 'configs', name)),
    cluster_id: cluster,
    link_name: link.name,
    name,
    value,
    is_default: isDefault,
    is_read_only: isReadOnly,
    is_sensitive: key.sensitive,
    read_only: isReadOnly,
    sensitive: key.sensitive,
    source: isDefault ? 'DEFAULT_CONFIG' : 'DYNAMIC_CLUSTER_LINK_CONFIG',
    synonyms: [],
  }
}
