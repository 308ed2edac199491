import { type ChildProcess, spawn } from 'node:child_process'
import { rmSync } from 'node:fs'

/**
 * Nothing that a test starts outlives it. A test process that ends by itself kills its children in an exit handler; one
 * that is killed cannot, so a small shell outside its process group reads the names of what is to be ended from a pipe
 * and acts when the pipe breaks.
 */
const script = `
alive=" "
folders=" "
while read -r verb what; do
  case "$verb" in
    pid) alive="$alive$what " ;;
    gone) case "$alive" in *" $what "*) alive="\${alive%% $what *} \${alive#* $what }" ;; esac ;;
    folder) folders="$folders$what " ;;
    removed) case "$folders" in *" $what "*) folders="\${folders%% $what *} \${folders#* $what }" ;; esac ;;
  esac
done
for pid in $alive; do kill -9 "$pid" 2>/dev/null; done
for folder in $folders; do rm -rf "$folder"; done
`

const alive = new Set<number>()
const folders = new Set<string>()
let watchdog: ChildProcess | undefined

/** The process is killed when this one ends, however it ends. */
export function guardProcess(pid: number): void {
  alive.add(pid)
  tell(`pid ${pid}`)
}

/** To be called as soon as the process is gone: its number may be somebody else's soon. */
export function releaseProcess(pid: number): void {
  if (alive.delete(pid)) tell(`gone ${pid}`)
}

/** The folder is removed when this process ends, however it ends. Its path holds no white space. */
export function guardFolder(path: string): void {
  folders.add(path)
  tell(`folder ${path}`)
}

export function releaseFolder(path: string): void {
  if (folders.delete(path)) tell(`removed ${path}`)
}

function tell(line: string): void {
  watchdog ??= startWatchdog()
  watchdog.stdin?.write(`${line}\n`)
}

function startWatchdog(): ChildProcess {
  const child = spawn('/bin/sh', ['-c', script], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] })
  child.unref()
  child.on('error', () => {})
  child.stdin.on('error', () => {})
  if ('unref' in child.stdin && typeof child.stdin.unref === 'function') child.stdin.unref()
  process.once('exit', endEverything)
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => {
      endEverything()
      process.kill(process.pid, signal)
    })
  }
  return child
}

function endEverything(): void {
  for (const pid of alive) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // Gone already.
    }
  }
  for (const path of folders) rmSync(path, { recursive: true, force: true, maxRetries: 3 })
}
