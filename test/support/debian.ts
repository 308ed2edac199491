import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { run, runOrThrow } from './process.ts'

/**
 * Unpacks a Debian package, and those that it needs and the machine lacks, into a folder: the system is left as it is.
 */
export async function unpackDebian(name: string, folder: string): Promise<void> {
  const packages = join(folder, 'packages')
  await mkdir(packages)
  const names = await missingPackages(name)
  await runOrThrow('apt-get', ['-q', 'download', ...names], { cwd: packages, timeoutMs: 120_000 })
  for (const file of await readdir(packages)) await runOrThrow('dpkg-deb', ['-x', join(packages, file), folder])
  await rm(packages, { recursive: true })
}

/** A machine that never asked its package sources does so first. */
async function missingPackages(name: string): Promise<string[]> {
  const args = ['-qq', '-y', '--no-install-recommends', '--print-uris', 'install', name]
  let { code, stdout } = await run('apt-get', args)
  if (code !== 0 && process.getuid?.() === 0) {
    await runOrThrow('apt-get', ['-qq', 'update'], { timeoutMs: 120_000 })
    stdout = (await runOrThrow('apt-get', args)).stdout
    code = 0
  }
  if (code !== 0) throw new Error('it is not installed, and apt-get knows no package of it')
  return stdout.split('\n').flatMap((line) => /^'\S+' ([^_\s]+)_\S+\.deb /.exec(line)?.[1] ?? [])
}
