import { SimulatedLab } from './simulated.ts'
import { engineContract } from './suite.ts'

engineContract('simulated', async () => new SimulatedLab('contract'))
