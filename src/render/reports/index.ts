import type { Report } from '../../model/report.ts';
import type { ReportFormat } from '../../model/report-format.ts';
import { renderGithub } from './github.ts';
import { renderJunit } from './junit.ts';
import { renderMarkdown } from './markdown.ts';
import type { Locate } from './place.ts';
import { renderSarif } from './sarif.ts';

/** A report in one of the forms that other programs read. */
export function renderReport(
  report: Report,
  format: ReportFormat,
  { version, locate }: { version: string; locate: Locate },
): string {
  switch (format) {
    case 'junit':
      return renderJunit(report);
    case 'sarif':
      return renderSarif(report, version, locate);
    case 'github':
      return renderGithub(report, locate);
    case 'markdown':
      return renderMarkdown(report, locate);
  }
}
