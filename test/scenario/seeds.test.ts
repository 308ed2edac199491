import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { parse, stringify } from 'yaml'
import type { ClusterLink } from '../../src/contract/v1.ts'
import { fingerprintOf } from '../../src/identity/certificate.ts'
import { decodeToken, encodeToken } from '../../src/identity/trust-token.ts'
import { pinnedHttp } from '../../src/transport/pinned-fetch.ts'
import { type Daemon, startDaemon } from '../support/daemon.ts'
import { type Effects, readSeed, readSubstitutions, runSeed, substituted } from '../support/seed.ts'
import { cli } from '../support/sites.ts'

let a: Daemon
let b: Daemon

/** Two clusters that know nothing of each other. */
function twoClusters(): void {
  before(async () => {
    ;[a, b] = await Promise.all([startDaemon({ name: 'a' }), startDaemon({ name: 'b' })])
  })
  after(async () => {
    await Promise.all([a?.[Symbol.asyncDispose](), b?.[Symbol.asyncDispose]()])
  })
}

const linkAt = async (daemon: Daemon, name: string) => (await daemon.client.clusterLinks.get(name)).value
const linkNames = async (daemon: Daemon) => (await daemon.client.clusterLinks.list()).map(({ name }) => name)
const identityAt = async (daemon: Daemon, name: string) => (await daemon.client.identities.get(name)).value
const portOf = ({ ready }: Daemon) => ready.https.split(':').at(-1)!
const isMissing = (found: Promise<unknown>) => assert.rejects(found, { code: 'not-found' })
const lastLine = (text: string) => text.trimEnd().split('\n').at(-1)!

const groupExists = (name: string) => async (_: string, here: Daemon) => {
  assert.equal((await here.client.groups.get(name)).value.name, name)
}
const groupHolds = (name: string, type: string, url: string, entitlement: string) => async (_: string, at: Daemon) => {
  const { permissions } = (await at.client.groups.get(name)).value
  assert.deepEqual(permissions.at(-1), { entity_type: type, url, entitlement })
}
const backupGroup = {
  'auth group create backup': groupExists('backup'),
  'auth group permission add backup instance can_manage_backups': groupHolds(
    'backup',
    'instance',
    '/1.0/instances',
    'can_manage_backups',
  ),
}

/** The link is there, pending, and so is its identity in the group; the token is the last line. */
async function isPending(here: Daemon, name: string, group: string): Promise<void> {
  assert.equal((await linkAt(here, name)).config['volatile.addresses'], undefined)
  const { type, groups } = await identityAt(here, name)
  assert.deepEqual([type, groups], ['Cluster link certificate (pending)', [group]])
}

/** Both sides know each other by their certificates, each in its group, and say so. */
async function areLinked(nameAtA: string, nameAtB: string, group: string): Promise<void> {
  for (const [here, there, name] of [
    [a, b, nameAtA],
    [b, a, nameAtB],
  ] as const) {
    const { id, type, groups } = await identityAt(here, name)
    assert.deepEqual([id, type, groups], [there.ready.fingerprint, 'Cluster link certificate', [group]])
    const { cluster_link_members: members } = await here.client.clusterLinks.state(name)
    assert.deepEqual(
      members.map(({ status }) => status),
      ['Active'],
    )
  }
}

describe('how to set up cluster links', { concurrency: false }, () => {
  twoClusters()
  let token = ''

  test('every line of the page, in order, and what it does on both clusters', async () => {
    await runSeed('set-up-links', {
      clusters: { A: a, B: b },
      effects,
      known: async () => ({ '<token from A>': token }),
    })
  })

  const effects: Effects = {
    'auth group create clusters': groupExists('clusters'),
    'auth group permission add clusters server admin': groupHolds('clusters', 'server', '/1.0', 'admin'),
    ...backupGroup,
    'cluster link create cluster_b --auth-group clusters': async (stdout, here) => {
      token = lastLine(stdout)
      assert.equal(decodeToken(token).fingerprint, here.ready.fingerprint)
      await isPending(here, 'cluster_b', 'clusters')
    },
    'cluster link create cluster_a <token from A> --auth-group clusters': async () => {
      await areLinked('cluster_b', 'cluster_a', 'clusters')
    },
    'auth identity show tls/<cluster_link_name>': (stdout) => {
      assert.equal(parse(stdout).type, 'Cluster link certificate')
      assert.equal(parse(stdout).id, b.ready.fingerprint)
    },
    'cluster link list': (stdout) => assert.match(stdout, new RegExp(`\\| cluster_b \\| [^|]*:${portOf(b)} `)),
    'cluster link show <name>': (stdout) => {
      assert.equal(parse(stdout).config['volatile.addresses'], b.ready.https)
    },
    'cluster link info <name>': (stdout) => assert.match(stdout, /\| ACTIVE \|/),
    'cluster link edit <name>': {
      input: async () => {
        const shown = await cli(a, 'cluster link show cluster_b')
        return shown.replace('description: ""', 'description: edited').replace('config:', 'config:\n  user.hall: "7"')
      },
      check: async () => {
        const { description, config } = await linkAt(a, 'cluster_b')
        assert.deepEqual([description, config['user.hall']], ['edited', '7'])
        assert.equal((await linkAt(b, 'cluster_a')).description, '', 'the other side keeps its own')
      },
    },
    'cluster link set <name> <key> <value>': async (_, here) => {
      assert.equal((await linkAt(here, 'cluster_b')).config['user.site'], 'east')
    },
    'cluster link set cluster_b -p description': async (_, here) => {
      assert.equal((await linkAt(here, 'cluster_b')).description, 'Backup cluster in data center 2')
    },
    'cluster link delete <name>': {
      before: () => cli(a, 'cluster link create spare'),
      check: async () => {
        assert.deepEqual(await linkNames(a), ['cluster_b'])
        await isMissing(identityAt(a, 'spare'))
      },
    },
    'cluster link remove cluster_b': async () => {
      assert.deepEqual(await linkNames(a), [])
      await isMissing(identityAt(a, 'cluster_b'))
      const state = await b.client.clusterLinks.state('cluster_a')
      assert.equal(state.cluster_link_members[0]?.status, 'Unauthenticated', 'trust ends on this side alone')
      assert.equal((await identityAt(b, 'cluster_a')).id, a.ready.fingerprint)
    },
    'cluster link remove cluster_a': async () => {
      assert.deepEqual(await linkNames(b), [])
      await isMissing(identityAt(b, 'cluster_a'))
    },
  }
})

describe('how to create cluster links', { concurrency: false }, () => {
  twoClusters()
  let token = ''

  test('every line of the page, in order, and what it does on both clusters', async () => {
    await runSeed('create-links', {
      clusters: { A: a, B: b },
      effects,
      known: async () => ({ '<token-from-A>': token }),
    })
  })

  const effects: Effects = {
    'auth group create <group-name>': groupExists('topics'),
    'auth group permission add <group-name> <entity-type> <entitlement>': groupHolds(
      'topics',
      'topic',
      '/1.0/topics',
      'can_read',
    ),
    'auth group create link': groupExists('link'),
    'auth group permission add link server admin': groupHolds('link', 'server', '/1.0', 'admin'),
    ...backupGroup,
    'cluster link create <name-of-link-to-cluster-b> --auth-group <auth-group-name>': async (stdout, here) => {
      token = lastLine(stdout)
      await isPending(here, 'berlin', 'link')
    },
    'cluster link create cluster_b --auth-group clusters': {
      // The page's examples put it in a group that the page never creates.
      before: () => Promise.all([cli(a, 'auth group create clusters'), cli(b, 'auth group create clusters')]),
      check: (_, here) => isPending(here, 'cluster_b', 'clusters'),
    },
    'cluster link create <name-of-link-to-cluster-a> --token': async () => {
      await areLinked('berlin', 'athens', 'link')
      // Two clusters are linked once: for the page's example they are strangers again.
      await cli(a, 'cluster link delete berlin')
      await cli(b, 'cluster link delete athens')
      await cli(a, 'cluster link delete cluster_b')
      token = lastLine(await cli(a, 'cluster link create cluster_b --auth-group clusters -q'))
    },
    'cluster link create cluster_a --token <token-from-A> --auth-group clusters': async () => {
      await areLinked('cluster_b', 'cluster_a', 'clusters')
    },
    'auth identity show tls/<cluster-link-name>': (stdout) => {
      assert.equal(parse(stdout).type, 'Cluster link certificate')
    },
  }
})

describe('how to manage cluster links', { concurrency: false }, () => {
  twoClusters()
  const form = ({ description, config }: ClusterLink) => ({ description, config })

  before(async () => {
    for (const daemon of [a, b]) {
      await cli(daemon, 'auth group create server-admins')
      await cli(daemon, 'auth group permission add server-admins server admin')
    }
    const token = await cli(a, 'cluster link create paris --auth-group server-admins -q')
    await cli(b, `cluster link create lyon ${token.trim()} --auth-group server-admins`)
  })

  test('the requests that the page names, from the linked cluster by its certificate', async () => {
    const names = ['certificate', 'key'] as const
    const [certificate, key] = await Promise.all(names.map((_, index) => readFile(keyPath(index), 'utf8')))
    const options = { address: a.ready.https, fingerprint: fingerprintOf(await certificateOf(a)) }
    await using call = pinnedHttp({ ...options, certificate: certificate!, key: key! })
    const bodies: Record<string, unknown> = {
      PUT: { ...form(await linkAt(a, 'paris')), description: 'put' },
      PATCH: { config: { 'user.by': 'patch' } },
    }
    const { requests } = readSeed('manage-links')
    const { words } = readSubstitutions('manage-links')
    assert.equal(requests.length, 7)
    for (const line of requests) {
      const [method = '', path = ''] = substituted(line, words).split(' ')
      // Last of all, and of a link that nobody needs: this one carries the request.
      const target = method === 'DELETE' ? path.replace('paris', 'spare') : path
      if (method === 'DELETE') await cli(a, 'cluster link create spare')
      const body = bodies[method] === undefined ? {} : { body: JSON.stringify(bodies[method]) }
      const answer = await call({ method, path: target, headers: { 'content-type': 'application/json' }, ...body })
      assert.equal(answer.status, 200, `${line}: ${answer.body}`)
    }
    const { description, config } = await linkAt(a, 'paris')
    assert.deepEqual([description, config['user.by']], ['put', 'patch'])
    assert.deepEqual(await linkNames(a), ['paris'])
  })

  const keyPath = (index: number) => join(b.stateDir, ['cluster.crt', 'cluster.key'][index]!)
  const certificateOf = (daemon: Daemon) => readFile(join(daemon.stateDir, 'cluster.crt'), 'utf8')

  test('every line of the page, in order, and what it does on both clusters', async () => {
    await runSeed('manage-links', {
      clusters: { A: a, B: b },
      effects,
      known: async () => {
        const links = await linkNames(a)
        const shown = links.includes('paris')
          ? JSON.stringify({ ...form(await linkAt(a, 'paris')), description: '' })
          : ''
        return { '<link configuration of paris>': shown }
      },
    })
  })

  const described = (name: string, text: string) => async (_: string, here: Daemon) => {
    assert.equal((await linkAt(here, name)).description, text)
  }
  const effects: Effects = {
    'cluster link list': (stdout) => assert.match(stdout, new RegExp(`\\| paris \\| [^|]*:${portOf(b)} `)),
    'query --request GET /1.0/cluster/links': (stdout) => {
      assert.deepEqual(JSON.parse(stdout), ['/1.0/cluster/links/paris'])
    },
    'query --request GET /1.0/cluster/links?recursion=1': async (stdout, here) => {
      assert.deepEqual(JSON.parse(stdout), [await linkAt(here, 'paris')])
    },
    'cluster link show <name>': async (stdout, here) => {
      assert.deepEqual(parse(stdout), await linkAt(here, 'paris'))
    },
    'query --request GET /1.0/cluster/links/<name>': async (stdout, here) => {
      assert.deepEqual(JSON.parse(stdout), await linkAt(here, 'paris'))
    },
    'cluster link info <name>': (stdout) => assert.match(stdout, /\| ACTIVE \|/),
    'query --request GET /1.0/cluster/links/<name>/state': (stdout) => {
      const [member] = JSON.parse(stdout).cluster_link_members
      assert.deepEqual([member.address, member.status], [b.ready.https, 'Active'])
    },
    'auth group create viewers': groupExists('viewers'),
    'auth group permission add viewers server viewer': groupHolds('viewers', 'server', '/1.0', 'viewer'),
    'auth identity group add tls/<cluster-link-name> viewers': async (_, here) => {
      assert.deepEqual((await identityAt(here, 'paris')).groups.toSorted(), ['server-admins', 'viewers'])
      assert.deepEqual((await identityAt(b, 'lyon')).groups, ['server-admins'], 'the other side keeps its own')
    },
    'cluster link create cluster_b --auth-group server-admins': async (stdout, here) => {
      assert.equal(decodeToken(lastLine(stdout)).client_name, 'cluster_b')
      await isPending(here, 'cluster_b', 'server-admins')
    },
    'cluster link edit <name>': {
      input: async () => stringify({ ...form(await linkAt(a, 'paris')), description: 'edited' }),
      check: described('paris', 'edited'),
    },
    'query --request PUT': described('paris', ''),
    'cluster link set <cluster-link-name> --property <key>=<value>': described('paris', 'one'),
    'cluster link set cluster_b --property': described('cluster_b', 'Backup cluster in data center 2'),
    'query --request PATCH /1.0/cluster/links/<name> --data \'{"<key>":': described('paris', 'two'),
    'query --request PATCH /1.0/cluster/links/cluster_b': described('cluster_b', 'Backup cluster in data center B'),
    'cluster link set <name> <key>=<value>': async (_, here) => {
      assert.equal((await linkAt(here, 'paris')).config['user.owner'], 'ops')
    },
    'query --request PATCH /1.0/cluster/links/<name> --data \'{"config":': async (_, here) => {
      const { config } = await linkAt(here, 'paris')
      assert.deepEqual([config['user.owner'], config['user.site'], config['user.by']], [undefined, 'west', 'patch'])
    },
    'cluster link delete <name>': async (_, here) => {
      assert.deepEqual(await linkNames(here), ['cluster_b'])
      const state = await b.client.clusterLinks.state('lyon')
      assert.equal(state.cluster_link_members[0]?.status, 'Unauthenticated', 'the other side trusts on, in vain')
    },
    'query --request DELETE /1.0/cluster/links/<name>': async (_, here) => {
      assert.deepEqual(await linkNames(here), [])
      assert.deepEqual(await linkNames(b), ['lyon'])
    },
  }
})

describe('where the pages and the LXD of today differ, both are taken', { concurrency: false }, () => {
  twoClusters()

  test('the token as an argument with and without padding, the words for deleting, the ways to set', async () => {
    const create = async (name: string) => lastLine(await cli(a, `cluster link create ${name} -q`))
    for (const [word, form] of [
      ['delete', (token: string) => token],
      ['rm', (token: string) => token.replace(/=+$/, '')],
      ['remove', (token: string) => encodeToken({ ...decodeToken(token), addresses: [a.ready.https] })],
    ] as const) {
      await cli(b, `cluster link create to_a ${form(await create('to_b'))}`)
      await cli(a, `cluster link ${word} to_b`)
      await cli(b, `cluster link ${word} to_a`)
      assert.deepEqual([await linkNames(a), await linkNames(b)], [[], []])
    }
    await create('to_b')
    await cli(a, 'cluster link set to_b user.x 1')
    await cli(a, 'cluster link set to_b user.y=2 user.z=3')
    await a.client.v1.send('PATCH', '/1.0/cluster/links/to_b', { body: { config: { 'user.x': '' } } })
    assert.deepEqual((await linkAt(a, 'to_b')).config, { 'user.y': '2', 'user.z': '3' })
    const refused = await a.cli(['cluster', 'link', 'set', 'to_b', '-p', 'name=other'])
    assert.deepEqual([refused.code, /cluster link rename/.test(refused.stderr)], [2, true])
  })

  test('permissions with the project of an instance, identities by name, groups by both flags', async () => {
    await cli(a, 'auth group create backup')
    await cli(a, 'auth group permission add backup instance a can_manage_backups project=default')
    await cli(a, 'auth group permission add backup instance can_manage_backups')
    const { permissions } = (await a.client.groups.get('backup')).value
    assert.deepEqual(permissions.map(({ url }) => url).toSorted(), ['/1.0/instances', '/1.0/instances/a'])
    await cli(a, 'auth identity create tls/ada --auth-group backup -q')
    await cli(a, 'auth identity create tls/bob --group backup -q')
    assert.match(await cli(a, 'auth identity show tls/ada'), /\ngroups:\n- backup\n/)
    const { id } = await identityAt(a, 'bob')
    assert.match(await cli(a, `auth identity show tls/${id}`), /\nname: bob\n/)
  })
})
