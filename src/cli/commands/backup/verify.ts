import type { Command } from 'commander'
import { verifyBackup } from '../../../backup/file.ts'
import { openWhole } from '../../../backup/restore.ts'
import { openContext } from '../../context.ts'
import { addShowFormat, type FormatOptions } from '../../render/format.ts'
import { printObject } from '../../render/list.ts'
import { readBackup, readSecret } from './files.ts'

interface Options extends FormatOptions {
  recoveryKey?: string
}

export function define(command: Command): void {
  addShowFormat(command)
    .argument('<file>', 'the backup')
    .option('--recovery-key <file>', 'the secret part of the recovery key: everything in the backup is looked at')
    .addHelpText('after', help)
    .action(async (file: string, options: Options) => {
      const bytes = await readBackup(file)
      await using context = openContext(command)
      const { facts, digest } = verifyBackup(bytes)
      const proof = { ...facts, size: bytes.length, digest, whole: true }
      if (options.recoveryKey === undefined) return printObject(context, options, proof)
      const { contents } = await openWhole(bytes, await readSecret(options.recoveryKey))
      const rows: Record<string, number> = {}
      for (const { kind } of contents.rows) rows[kind] = (rows[kind] ?? 0) + 1
      await printObject(context, options, { ...proof, opened: { rows, files: Object.keys(contents.files).sort() } })
    })
}

const help = `
Without the recovery key it is proven that not a byte was changed, and that the cluster with the shown fingerprint made
it. No daemon is needed.`
