/** Bytes of an unsigned varint. */
export function uvarintBytes(value: number): number {
  let count = 1
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) count += 1
  return count
}

/** Bytes of a zigzag varint of 32 bits. */
export function varintBytes(value: number): number {
  return uvarintBytes(((value << 1) ^ (value >> 31)) >>> 0)
}

/** Bytes of a zigzag varint of 64 bits, for safe integers. */
export function varlongBytes(value: number): number {
  // Without the lowest bit, which the sign is: it changes no size, and with it the largest values were not exact.
  return uvarintBytes(value < 0 ? -(value + 1) * 2 : value * 2)
}
