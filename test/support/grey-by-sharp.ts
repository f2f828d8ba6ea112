// Prints the grey pixels of a JPEG file as libvips decodes it. With JSIMD_FORCENONE=1 its libjpeg runs C code.
//
//   node test/support/grey-by-sharp.ts FILE

import sharp from 'sharp'

const { data } = await sharp(process.argv[2]).extractChannel(0).raw().toBuffer({
  resolveWithObject: true,
})
process.stdout.write(data)
