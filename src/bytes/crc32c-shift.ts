/** x^32 of Castagnoli's polynomial in reflected form: bit 31 stands for x^0. */
const polynomial = 0x82f63b78
const one = 0x80000000 | 0
const digits = 4

/** Entry `256 * digit + value` is x^(8 * value * 256^digit): four products reach any count of bytes below 2^32. */
const powers = buildPowers()
/** Slice-by-4: `slices[256 * k + byte]` is the register after that byte and k zero bytes. */
const slices = buildSlices()

/**
 * The CRC register (initial value 0, no final xor) after `zeroBytes` more zero bytes, that is `register` times
 * x^(8 * zeroBytes). A few dozen nanoseconds per non-zero digit of the count in base 256, whatever the count.
 */
export function crc32cShift(register: number, zeroBytes: number): number {
  let shifted = register
  let rest = zeroBytes
  for (let digit = 0; rest > 0 && digit < digits; digit += 1) {
    const value = rest & 0xff
    if (value !== 0) shifted = multiply(shifted, powers[(digit << 8) | value]!)
    rest = (rest - value) / 256
  }
  return shifted
}

/** Feeds four bytes, read as one little-endian word, into a register (initial value 0, no final xor). */
export function crc32cWord(register: number, word: number): number {
  const mixed = register ^ word
  return (
    slices[768 | (mixed & 0xff)]! ^
    slices[512 | ((mixed >>> 8) & 0xff)]! ^
    slices[256 | ((mixed >>> 16) & 0xff)]! ^
    slices[mixed >>> 24]!
  )
}

/** Carry-less product modulo the polynomial, both in reflected form. */
function multiply(left: number, right: number): number {
  let product = 0
  let factor = right
  for (let bits = left; bits !== 0; bits <<= 1) {
    product ^= factor & (bits >> 31)
    factor = (factor >>> 1) ^ (polynomial & -(factor & 1))
  }
  return product
}

function buildPowers(): Int32Array {
  const table = new Int32Array(256 * digits)
  let step = one >>> 8 // x^8
  for (let digit = 0; digit < digits; digit += 1) {
    let power = one
    for (let value = 0; value < 256; value += 1) {
      table[(digit << 8) | value] = power
      power = multiply(power, step)
    }
    step = power
  }
  return table
}

function buildSlices(): Int32Array {
  const table = new Int32Array(256 * 4)
  for (let byte = 0; byte < 256; byte += 1) {
    let register = byte
    for (let bit = 0; bit < 8; bit += 1) register = (register >>> 1) ^ (polynomial & -(register & 1))
    for (let slice = 0; slice < 4; slice += 1) {
      table[(slice << 8) | byte] = register
      for (let bit = 0; bit < 8; bit += 1) register = (register >>> 1) ^ (polynomial & -(register & 1))
    }
  }
  return table
}
