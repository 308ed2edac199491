import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { systemClock } from '../../src/base/clock.ts'
import { createCertificate, fingerprintOf } from '../../src/identity/certificate.ts'
import { decodeToken, encodeToken } from '../../src/identity/trust-token.ts'
import { type Daemon, startDaemon } from '../support/daemon.ts'
import { type Lxc, lxc, lxcAvailable, startLxc } from '../support/lxc.ts'

/** LXD's own client, version 5.0 and unmodified, drives a daemon: on its socket and over the network. */
describe("LXD's client", await lxcAvailable(), () => {
  let daemon: Daemon
  let folder: string
  /** Whoever is on the daemon's machine. */
  let here: Lxc
  /** Somebody elsewhere, who becomes known by a token. */
  let far: Lxc

  before(async () => {
    daemon = await startDaemon({ name: 'site' })
    folder = await mkdtemp(join(tmpdir(), 'linkspan-lxc-'))
    here = { folder: join(folder, 'here'), local: daemon.stateDir }
    far = { folder: join(folder, 'far') }
    for (const user of [here, far]) await mkdir(user.folder)
  })

  after(async () => {
    await daemon?.[Symbol.asyncDispose]()
    if (folder) await rm(folder, { recursive: true })
  })

  /** Words split at blanks; it has to succeed. */
  async function type(user: Lxc, line: string): Promise<string> {
    const { code, stdout, stderr } = await lxc(user, line.split(' '))
    assert.equal(code, 0, `lxc ${line}: ${stderr || stdout}`)
    return stdout
  }

  async function refused(user: Lxc, line: string): Promise<string> {
    const { code, stderr } = await lxc(user, line.split(' '))
    assert.equal(code, 1, `lxc ${line} was not refused`)
    return stderr
  }

  const mint = async (line: string) => (await type(here, `config trust add ${line} -q`)).trim()
  const tokens = async () => JSON.parse(await type(here, 'config trust list-tokens -f json'))
  const trusted = async (user = here, remote = '') => {
    const lines = (await type(user, `config trust list ${remote} -f csv`.replace('  ', ' '))).trim().split('\n')
    return lines.filter((line) => line !== '').map((line) => line.split(',').slice(0, 3))
  }

  test('info and query on the socket', async () => {
    const info = await type(here, 'info')
    assert.match(info, /auth: trusted/)
    assert.match(info, /server_name: site/)
    assert.deepEqual(JSON.parse(await type(here, 'query /1.0/cluster/members')), ['/1.0/cluster/members/site'])
    assert.match(await type(here, 'cluster list -f csv'), /^site,https:\/\/127\.0\.0\.1:/)
    assert.match(await refused(here, 'query /1.0/nothing'), /Not Found/)
  })

  test('config get, set and unset', async () => {
    await type(here, 'config set user.owner=ops')
    assert.equal(await type(here, 'config get user.owner'), 'ops\n')
    await type(here, 'config unset user.owner')
    assert.equal(await type(here, 'config get user.owner'), '\n')
    assert.match(await refused(here, 'config set core.https_address=:1'), /set by the daemon/)
    assert.match(await refused(here, 'config set core.remote_token_expiry=soon'), /core\.remote_token_expiry/)
    assert.match(await refused(here, 'config set nonsense=1'), /nonsense/)
  })

  test('a token is listed as it was printed, makes a remote, and is gone then', async () => {
    const token = await mint('--name laptop')
    const [listed] = await tokens()
    assert.equal(listed.ClientName, 'laptop')
    assert.deepEqual(decodeToken(listed.Token), decodeToken(token))
    const [, operation] = (await type(here, 'operation list -f csv')).split(',')
    assert.equal(operation, 'TOKEN')
    await type(far, `remote add site ${token}`)
    assert.deepEqual(await tokens(), [])
    assert.equal((await trusted()).length, 1)
    assert.deepEqual((await trusted(far, 'site:'))[0]?.slice(0, 2), ['client', 'laptop'])
    assert.match(await type(far, 'info site:'), /auth: trusted/)
    await type(far, 'config set site: user.far=1')
    assert.equal(await type(far, 'config get site: user.far'), '1\n')
    assert.match(await refused({ folder: far.folder }, `remote add again ${token}`), /not known here|already exists/)
  })

  test('a token that was revoked or changed lets nobody in', async () => {
    const stranger = { folder: join(folder, 'stranger') }
    await mkdir(stranger.folder)
    const token = await mint('--name lost')
    const changed = encodeToken({ ...decodeToken(token), secret: 'ab'.repeat(32) })
    assert.match(await refused(stranger, `remote add site ${changed}`), /not known here/)
    await type(here, 'config trust revoke-token lost')
    assert.deepEqual(await tokens(), [])
    assert.match(await refused(stranger, `remote add site ${token}`), /not known here/)
    const address = daemon.ready.https
    const words = `remote add site ${address} --accept-certificate --password sesame`
    assert.match(await refused(stranger, words), /no trust passwords here: ask for a token/)
  })

  test('a certificate that was restricted sees itself, and nothing else', async () => {
    const guest = { folder: join(folder, 'guest') }
    await mkdir(guest.folder)
    await type(guest, `remote add site ${await mint('--name guest --restricted')}`)
    assert.deepEqual(
      (await trusted(guest, 'site:')).map(([, name]) => name),
      ['guest'],
    )
    assert.equal((await trusted()).length, 2)
    assert.match(await refused(guest, 'config set site: user.x=1'), /can_edit/)
    assert.match(await refused(guest, 'query -X POST -d {"name":"g"} site:/1.0/auth/groups'), /can_create_groups/)
    assert.match(await type(guest, 'operation list site: -f csv'), /^\s*$/)
  })

  test("the token of an identity makes a remote too, with its groups' rights", async () => {
    const person = { folder: join(folder, 'person') }
    await mkdir(person.folder)
    const permission = { entity_type: 'server', url: '/1.0', entitlement: 'can_create_groups' }
    await daemon.client.groups.create({ name: 'makers', permissions: [permission] })
    const { metadata: token } = await daemon.client.identities.createToken('person', ['makers'])
    await type(person, `remote add site ${encodeToken(token)}`)
    await type(person, 'query -X POST -d {"name":"made"} site:/1.0/auth/groups')
    assert.match(await refused(person, 'config set site: user.x=1'), /can_edit/)
  })

  test('a certificate is added from a file, and removed by its first digits', async () => {
    const request = { commonName: 'made elsewhere', hostNames: [], addresses: [], clock: systemClock }
    const { certificatePem } = await createCertificate(request)
    const path = join(folder, 'elsewhere.crt')
    await writeFile(path, certificatePem)
    await type(here, `config trust add ${path}`)
    assert.ok(
      (await trusted()).some(([, name, commonName]) => {
        return name === 'elsewhere.crt' && commonName === 'made elsewhere'
      }),
    )
    const digits = fingerprintOf(certificatePem).slice(0, 12)
    assert.match(await type(here, `config trust show ${digits}`), /restricted: false/)
    await type(here, `config trust remove ${digits}`)
    assert.ok(!(await trusted()).some(([, name]) => name === 'elsewhere.crt'))
  })

  test('warnings are listed, shown, acknowledged and deleted', async () => {
    const list = async () => (await type(here, 'warning list -f json --all').then(JSON.parse)) as { uuid: string }[]
    const [warning] = await list()
    assert.ok(warning, 'the Kafka that is not there is no warning')
    assert.match(await type(here, `warning show ${warning.uuid}`), /type: Kafka is not reached/)
    await type(here, `warning acknowledge ${warning.uuid}`)
    assert.doesNotMatch(await type(here, 'warning list'), /Kafka is not reached/)
    assert.match(await type(here, 'warning list --all'), /Kafka is not reached.*ACKNOWLEDGED/)
    await type(here, `warning delete ${warning.uuid}`)
    assert.ok((await list()).every(({ uuid }) => uuid !== warning.uuid))
  })

  test('monitor shows the log', async () => {
    await using monitor = await startLxc(here, ['monitor', '--type', 'logging', '--pretty'])
    const told = monitor.waitForOutput(/level=info msg="Operation cancelled" .*reason="The operation was cancelled"/)
    let waiting = true
    void told
      .catch(() => {})
      .finally(() => {
        waiting = false
      })
    // It says nothing when it is connected: so something happens until it tells of it.
    for (let index = 0; waiting; index += 1) {
      await mint(`--name t${index}`)
      await type(here, `config trust revoke-token t${index}`)
    }
    await told
  })

  test('monitor tells what happens until its certificate is trusted no more', async () => {
    const monitor = await startLxc(far, ['monitor', 'site:', '--type', 'lifecycle'])
    // It says nothing when it is connected: so things happen until it tells of one.
    const path = '/1.0/auth/groups'
    const happening = setInterval(() => {
      void daemon.client.groups.create({ name: `g${performance.now()}` }).catch(() => {})
    }, 100)
    await monitor.waitForOutput(/action: auth-group-created/).finally(() => clearInterval(happening))
    const [{ fingerprint }] = JSON.parse(await type(here, 'query /1.0/certificates?recursion=1')).filter(
      ({ name }: { name: string }) => name === 'laptop',
    )
    await type(here, `config trust remove ${fingerprint}`)
    await monitor.waitForExit()
    assert.match(await refused(far, `query site:${path}`), /not known here/)
  })
})
