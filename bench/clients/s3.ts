// Clients of S3 for long tests: they are packages of bench/package.json, which are found from here.

export * from '@aws-sdk/client-s3'
export { Upload } from '@aws-sdk/lib-storage'
export { SignatureV4 } from '@smithy/signature-v4'
