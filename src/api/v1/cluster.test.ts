import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startTestApi } from '../../../test/support/api-server.ts'
import { joinByToken } from '../../../test/support/identities.ts'

test('a host alone is a cluster of one, which whoever is known may look at', async (t) => {
  const server = await startTestApi(t)
  const me = await joinByToken(server, 'me')
  const cluster = await server.call({ as: me, path: '/1.0/cluster' })
  assert.deepEqual(cluster.metadata, { server_name: 'here', enabled: true, member_config: [] })
  const urls = await server.call({ as: me, path: '/1.0/cluster/members' })
  assert.deepEqual(urls.metadata, ['/1.0/cluster/members/here'])
  const listed = await server.call({ as: me, path: '/1.0/cluster/members?recursion=1' })
  const member = listed.metadata[0]
  assert.deepEqual(
    { ...member, architecture: '' },
    {
      server_name: 'here',
      url: 'https://127.0.0.1:8443',
      database: true,
      status: 'Online',
      message: 'Fully operational',
      architecture: '',
      roles: ['database-leader'],
      failure_domain: 'default',
      description: '',
      config: {},
      groups: ['default'],
      addresses: ['127.0.0.1:8443'],
    },
  )
  assert.deepEqual((await server.call({ as: me, path: '/1.0/cluster/members/here' })).metadata, member)
  assert.equal((await server.call({ as: me, path: '/1.0/cluster/members/there' })).status, 404)
  assert.equal((await server.call({ path: '/1.0' })).metadata.environment.server_clustered, true)
})
