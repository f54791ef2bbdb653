/** The notebook that is shown, as the kernel's values have it. */
import type { ISharedNotebook } from '@jupyter/ydoc';

import type { INotebookValue } from './messages';

/** Cells with id, type, source, metadata and attachments, and the metadata of the notebook; no outputs. */
export function notebookValue(notebook: ISharedNotebook): INotebookValue {
  return {
    cells: notebook.cells.map(cell => ({
      id: cell.getId(),
      type: cell.cell_type as INotebookValue['cells'][number]['type'],
      source: cell.getSource(),
      metadata: cell.getMetadata() as { [key: string]: any },
      attachments: ('getAttachments' in cell ? cell.getAttachments() : undefined) ?? {}
    })),
    metadata: notebook.getMetadata() as { [key: string]: any }
  };
}
