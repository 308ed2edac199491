import { readFileSync } from 'node:fs'

/** Of `/proc`: 100 on every Linux that Node runs on, whatever the kernel's own tick. */
const ticksPerSecond = 100

export interface ProcessCpu {
  seconds: number
  /** The part of them inside of the system: copies, sockets. */
  kernelSeconds: number
}

/** What a process with all its threads has used so far; what it had used last when it is gone. */
export class ProcessMeter {
  readonly name: string
  readonly pid: number
  #used: ProcessCpu = { seconds: 0, kernelSeconds: 0 }

  constructor(name: string, pid: number) {
    this.name = name
    this.pid = pid
  }

  cpu(): ProcessCpu {
    const text = read(`/proc/${this.pid}/stat`)
    if (text) {
      // The name in brackets may hold anything; utime and stime are the 12th and 13th fields after it.
      const [user, kernel] = text
        .slice(text.lastIndexOf(')') + 2)
        .split(' ')
        .slice(11)
        .map(Number) as [number, number]
      this.#used = { seconds: (user + kernel) / ticksPerSecond, kernelSeconds: kernel / ticksPerSecond }
    }
    return this.#used
  }

  /** The most memory that was ever resident, in bytes; 0 when the process is gone. */
  peakBytes(): number {
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(read(`/proc/${this.pid}/status`))?.[1] ?? 0) * 1024
  }
}

export interface MachineCpu {
  /** Used by anybody, interrupts included. */
  busySeconds: number
  /** Taken by the machine below this one, if that is virtual. */
  stolenSeconds: number
}

export function machineCpu(): MachineCpu {
  const [user, nice, system, , , irq, softIrq, stolen] = read('/proc/stat').split('\n', 1)[0]!.split(/ +/).slice(1)
  const busy = [user, nice, system, irq, softIrq].reduce((sum, ticks) => sum + Number(ticks), 0)
  return { busySeconds: busy / ticksPerSecond, stolenSeconds: Number(stolen) / ticksPerSecond }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
