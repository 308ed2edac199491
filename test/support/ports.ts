import { randomInt } from 'node:crypto'
import { createConnection, createServer, type Server } from 'node:net'

/**
 * Below the range from which systems take the local ports of outgoing connections: a server that is killed and started
 * again finds its port still free.
 */
const range = { first: 15_000, last: 30_000 }
const attemptsMax = 100

/**
 * Ports of 127.0.0.1 on which nothing listens, for servers that must know their port before they start. What can listen
 * on port 0 should do that instead: somebody else may take a port between this answer and its use.
 */
export async function freePorts(count: number): Promise<number[]> {
  const held: { port: number; server: Server }[] = []
  try {
    for (let attempt = 0; held.length < count; attempt++) {
      if (attempt >= attemptsMax)
        throw new Error(`no ${count} free ports found between ${range.first} and ${range.last}`)
      const port = randomInt(range.first, range.last)
      const server = await tryListen(port)
      if (server) held.push({ port, server })
    }
    return held.map(({ port }) => port)
  } finally {
    await Promise.all(held.map(({ server }) => new Promise((resolve) => server.close(resolve))))
  }
}

function tryListen(port: number): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(undefined))
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => resolve(server))
  })
}

/** Whether somebody listens on a port of 127.0.0.1. */
export function takesConnections(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host: '127.0.0.1', port })
    const answer = (yes: boolean) => () => {
      socket.destroy()
      resolve(yes)
    }
    socket.once('connect', answer(true)).once('error', answer(false))
  })
}
