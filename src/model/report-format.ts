/** Forms of a report for other programs. */
export const REPORT_FORMATS = ['junit', 'sarif', 'github', 'markdown'] as const;
export type ReportFormat = (typeof REPORT_FORMATS)[number];

export function isReportFormat(format: string): format is ReportFormat {
  return REPORT_FORMATS.some((each) => each === format);
}
