import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { explainError, LinkspanError } from '../base/errors.ts'
import { Questions } from './input.ts'
import { escapeControls } from './render/text.ts'

export interface Edit {
  /** Shown above the text as comments, to which the person's answer is not read. */
  help: string
  /** YAML. */
  text: string
  /** Takes the edited text over; what it throws is shown, and the editor opened again. */
  apply: (text: string) => Promise<void>
}

/**
 * Opens the person's editor until `apply` takes the text, or the person gives up; then the text stays in a file whose
 * name is told. Throws `usage` without an editor.
 */
export async function editText({ help, text, apply }: Edit): Promise<void> {
  const comments = help.split('\n').map((line) => `## ${line}`.trimEnd())
  const folder = await mkdtemp(join(tmpdir(), 'linkspan-edit-'))
  const path = join(folder, 'edit.yaml')
  await writeFile(path, `${comments.join('\n')}\n\n${text}\n`, { mode: 0o600 })
  let refused = false
  try {
    for (;;) {
      await runEditor(path)
      try {
        await apply(await readFile(path, 'utf8'))
        refused = false
        return
      } catch (error) {
        refused = true
        await askToGoOn(error, path)
      }
    }
  } finally {
    if (!refused) await rm(folder, { recursive: true, force: true })
  }
}

async function askToGoOn(error: unknown, path: string): Promise<void> {
  process.stderr.write(`Error: ${escapeControls(explainError(error), '\n')}\n`)
  using questions = new Questions()
  const answer = await questions.ask(`Press enter to open the editor again, or ctrl-c to leave the text in ${path}: `)
  if (answer !== undefined) return
  throw new LinkspanError('invalid-request', `Nothing was changed, the text is in ${path}`, { cause: error })
}

async function runEditor(path: string): Promise<void> {
  const named = process.env.VISUAL || process.env.EDITOR
  const candidates = named ? [named] : ['editor', 'vi', 'emacs', 'nano']
  for (const candidate of candidates) {
    const [program = '', ...words] = candidate.split(/\s+/).filter((word) => word !== '')
    const child = spawn(program, [...words, path], { stdio: 'inherit' })
    const code = await once(child, 'exit').then(
      ([exitCode]) => exitCode as number | null,
      (error: NodeJS.ErrnoException) => (error.code === 'ENOENT' ? undefined : Promise.reject(error)),
    )
    if (code === 0) return
    if (code !== undefined) throw new LinkspanError('invalid-request', `${candidate} failed: nothing was changed`)
  }
  throw new LinkspanError('usage', 'No editor was found: name one in EDITOR, or give YAML on standard input')
}
