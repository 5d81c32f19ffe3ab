/** Before every file of the fast suites. */
import fc from 'fast-check'
import { commitSeed } from './commitseed.ts'

// fast-check takes 32 bits with a sign.
fc.configureGlobal({ seed: commitSeed() | 0 })
