import type { Command } from 'commander'
import { isLinkspanError, LinkspanError } from '../../../base/errors.ts'
import type { Operation } from '../../../contract/v1.ts'
import { type Context, openContext } from '../../context.ts'
import { confirm } from '../../input.ts'
import { localRemote, parseRemote } from '../../names.ts'
import { followOperation } from '../../operations.ts'
import { addShowFormat, type FormatOptions, formatOf } from '../../render/format.ts'
import { printObject } from '../../render/list.ts'

interface Options extends FormatOptions {
  force?: boolean
}

export function define(command: Command): void {
  addShowFormat(command)
    .argument('[remote:]', 'the daemon that is meant')
    .option('-y, --force', 'do not ask')
    .addHelpText('after', help)
    .action(async (text: string | undefined, options: Options) => {
      const remote = parseRemote(text)
      const question = 'Replace the certificate of the cluster? Tokens that nobody has used yet become void'
      if (!options.force && !(await confirm(question, '--force'))) {
        throw new LinkspanError('invalid-request', 'Nothing was changed')
      }
      await using context = openContext(command, remote)
      const { operation, next } = await begin(context)
      const ended = await follow(context, () => openContext(command, remote), operation.id, next)
      if (formatOf(options, 'human') !== 'human') return printObject(context, options, ended.metadata)
      context.print(summary(next, (ended.metadata ?? {}) as Report))
    })
}

const help = `
Linked clusters are told of the new certificate before it is used, and accept both for a time.
Remotes elsewhere have to accept it, with "linkspan remote update-certificate"; the one that is named here does so.`

interface Report {
  told?: string[]
  untold?: { link: string; problem: string }[]
  void_tokens?: string[]
  one_way?: string[]
}

/** The next certificate is told over the connection that the present one secures. */
async function begin({ client }: Context): Promise<{ operation: Operation; next: string }> {
  const operation = await client.members.rotateCertificate()
  const { fingerprint, rotation } = await client.members.certificate()
  return { operation, next: rotation?.next ?? fingerprint }
}

/** To the end, over a new connection and with a new pin once the daemon presents the next certificate. */
async function follow(context: Context, reopen: () => Context, id: string, next: string): Promise<Operation> {
  const remote = await context.remote()
  if (remote === localRemote) return followOperation(context, id)
  try {
    const ended = await followOperation(context, id)
    await repin(remote, next)
    return ended
  } catch (error) {
    if (!isLinkspanError(error, 'wrong-fingerprint') || error.details.got !== next) throw error
    await repin(remote, next)
    await using again = reopen()
    return await followOperation(again, id)
  }
}

async function repin(remote: string, next: string): Promise<void> {
  const [{ RemotesFolder }, { findCertificate }] = await Promise.all([
    import('../../remotes/folder.ts'),
    import('../../remotes/addresses.ts'),
  ])
  const folder = new RemotesFolder()
  const { addresses } = await folder.readRemote(remote)
  const { certificatePem } = await findCertificate(addresses, next)
  await folder.writePin(remote, certificatePem)
}

function summary(next: string, { told = [], untold = [], void_tokens: tokens = [], one_way: oneWay = [] }: Report) {
  return [
    `The cluster's certificate is now ${next}`,
    ...(told.length > 0 ? [`Linked clusters that know it: ${told.join(', ')}`] : []),
    ...untold.map(({ link, problem }) => `Cluster link ${link} does not know it yet and is tried on: ${problem}`),
    ...(tokens.length > 0 ? [`Void tokens, to be made anew with "auth token reissue": ${tokens.join(', ')}`] : []),
    ...(oneWay.length > 0
      ? [`One-way links to here, which find it by themselves (LXD does not): ${oneWay.join(', ')}`]
      : []),
  ].join('\n')
}
