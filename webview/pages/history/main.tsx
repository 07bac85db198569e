import { startPage } from '../../start.tsx';
import { HistoryPage } from './history-page.tsx';

startPage(HistoryPage);
