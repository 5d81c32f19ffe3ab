import { EngineLab } from '../support/engine.ts'
import { engineContract } from './suite.ts'

engineContract('Docker', async () => new EngineLab('contract'))
