import { startPage } from '../../start.tsx';
import { RunPage } from './run-page.tsx';

startPage(RunPage);
