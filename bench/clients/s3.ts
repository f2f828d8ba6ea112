// S3 clients for long tests: their packages are in bench/package.json, and resolve from here.

export * from '@aws-sdk/client-s3'
export { Upload } from '@aws-sdk/lib-storage'
export { SignatureV4 } from '@smithy/signature-v4'
