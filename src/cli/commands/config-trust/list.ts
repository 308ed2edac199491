import { X509Certificate } from 'node:crypto'
import type { Command } from 'commander'
import type { Certificate } from '../../../contract/v1.ts'
import { openContext } from '../../context.ts'
import { parseRemote } from '../../names.ts'
import { addListFormat, type FormatOptions } from '../../render/format.ts'
import { type Column, printList } from '../../render/list.ts'
import { goDate } from './dates.ts'

interface Row {
  listed: Certificate
  /** Undefined when it cannot be read: it is listed all the same. */
  certificate: X509Certificate | undefined
}

const fingerprintCharacters = 12

const columns: Column<Row>[] = [
  { header: 'TYPE', cell: ({ listed }) => listed.type },
  { header: 'NAME', cell: ({ listed }) => listed.name },
  { header: 'COMMON NAME', cell: ({ certificate }) => /^CN=(.*)$/m.exec(certificate?.subject ?? '')?.[1] ?? '' },
  { header: 'FINGERPRINT', cell: ({ listed }) => listed.fingerprint.slice(0, fingerprintCharacters) },
  { header: 'ISSUE DATE', cell: ({ certificate }) => (certificate ? goDate(certificate.validFromDate) : '') },
  { header: 'EXPIRY DATE', cell: ({ certificate }) => (certificate ? goDate(certificate.validToDate) : '') },
]

export function define(command: Command): void {
  addListFormat(command)
    .argument('[remote:]', 'the daemon that is asked')
    .action(async (remote: string | undefined, options: FormatOptions) => {
      await using context = openContext(command, parseRemote(remote))
      const certificates = await context.client.certificates.list()
      const rows = certificates.map((listed) => ({ listed, certificate: read(listed.certificate) }))
      await printList(context, options, { columns, rows, raw: certificates })
    })
}

function read(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem)
  } catch {
    return undefined
  }
}
