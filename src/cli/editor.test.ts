import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { editText } from './editor.ts'

/** An editor that changes `a` to `b`, told by a word before the file's name. */
async function useEditor(t: TestContext, source: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'linkspan-editor-'))
  await writeFile(join(folder, 'editor.mjs'), source)
  const { VISUAL, EDITOR } = process.env
  process.env.VISUAL = `${process.execPath}  ${join(folder, 'editor.mjs')} --wait`
  t.after(async () => {
    Object.assign(process.env, { VISUAL: VISUAL ?? '', EDITOR: EDITOR ?? '' })
    await rm(folder, { recursive: true })
  })
}

test('what the editor leaves behind is taken over', async (t) => {
  const replace = `import { readFileSync, writeFileSync } from 'node:fs'
    const [, , flag, path] = process.argv
    if (flag !== '--wait' || !path.endsWith('.yaml')) process.exit(1)
    writeFileSync(path, readFileSync(path, 'utf8').replace('key: a', 'key: b'))`
  await useEditor(t, replace)
  const applied: string[] = []
  const apply = async (text: string) => void applied.push(text)
  await editText({ help: 'This is YAML.\n\nkey: example', text: 'key: a', apply })
  assert.deepEqual(applied, ['## This is YAML.\n##\n## key: example\n\nkey: b\n'])
})

test('nothing is changed when the editor fails', async (t) => {
  await useEditor(t, 'process.exit(3)')
  const apply = async () => assert.fail('nothing was edited')
  await assert.rejects(editText({ help: '', text: '', apply }), {
    code: 'invalid-request',
    message: /nothing was changed/,
  })
})
