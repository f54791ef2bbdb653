/** Views of the Python side, drawn. Every text is a text node: nothing here is ever read as HTML. */
import * as React from 'react';

import type { ITrans } from './trans';
import { kindOfChange } from './words';
import type { Block, IChangeBlock, ISpan, IView } from './wire';

function Spans({ spans }: { spans: ISpan[] }): JSX.Element {
  return (
    <>
      {spans.map((span, i) =>
        span.style ? (
          <span key={i} className={`jp-Selfcode-${span.style}`}>
            {span.text}
          </span>
        ) : (
          span.text
        )
      )}
    </>
  );
}

const SIGN: { [sign: string]: string } = { '+': 'added', '-': 'removed', '@': 'gap', ' ': 'same' };
/** The diff of one cell. */
export function Change({ block, trans }: { block: IChangeBlock; trans: ITrans }): JSX.Element {
  const title = block.title || trans.__('Cell %1', block.place);
  return (
    <section className="jp-Selfcode-change" aria-label={title}>
      <header>
        <strong>{title}</strong>
        <span className="jp-Selfcode-dim">{kindOfChange(block.change, trans)}</span>
        {block.lines.length > 0 && (
          <span className="jp-Selfcode-counts">
            <span className="jp-Selfcode-ok">+{block.added}</span>{' '}
            <span className="jp-Selfcode-error">−{block.removed}</span>
          </span>
        )}
      </header>
      {block.lines.length > 0 && (
        <div className="jp-Selfcode-lines" tabIndex={0}>
          {block.lines.map((line, i) => (
            <div key={i} className={`jp-Selfcode-line jp-Selfcode-${SIGN[line.sign]}`}>
              <span className="jp-Selfcode-number">{line.number ?? ''}</span>
              <span className="jp-Selfcode-sign">{line.sign === '@' ? '⋯' : line.sign}</span>
              <span className="jp-Selfcode-text">
                {line.sign === '@'
                  ? ''
                  : line.pieces.map(([text, word], k) =>
                      word ? (
                        <span key={k} className={`jp-Selfcode-${word}`}>
                          {text}
                        </span>
                      ) : (
                        text
                      )
                    )}
              </span>
            </div>
          ))}
          {block.cut > 0 && (
            <div className="jp-Selfcode-dim">
              {trans._n('%1 more line', '%1 more lines', block.cut)}
            </div>
          )}
        </div>
      )}
    </section>
  );
}

function Drawn({ block, trans }: { block: Block; trans: ITrans }): JSX.Element | null {
  switch (block.block) {
    case 'title':
      return (
        <div className={`jp-Selfcode-title jp-mod-${block.kind}`}>
          {block.text} {block.remark && <span className="jp-Selfcode-dim">{block.remark}</span>}
        </div>
      );
    case 'paragraph':
      return (
        <p>
          <Spans spans={block.spans} />
        </p>
      );
    case 'facts':
      return (
        <dl>
          {block.rows.map(([label, spans], i) => (
            <React.Fragment key={i}>
              <dt>{label}</dt>
              <dd>
                <Spans spans={spans} />
              </dd>
            </React.Fragment>
          ))}
        </dl>
      );
    case 'listing':
      return (
        <ul>
          {block.items.map((item, i) => (
            <li key={i}>
              <Spans spans={item} />
            </li>
          ))}
        </ul>
      );
    case 'table':
      return (
        <div className="jp-Selfcode-table">
          <table>
            {block.columns.some(Boolean) && (
              <thead>
                <tr>
                  {block.columns.map((column, i) => (
                    <th key={i} scope="col">
                      {column}
                    </th>
                  ))}
                </tr>
              </thead>
            )}
            <tbody>
              {block.rows.map((row, i) => (
                <tr key={i}>
                  {row.map((cell, k) => (
                    <td
                      key={k}
                      className={[
                        block.right.includes(k) ? 'jp-mod-right' : '',
                        block.code.includes(k) ? 'jp-mod-code' : '',
                        block.wide === k ? 'jp-mod-wide' : ''
                      ].join(' ')}
                    >
                      <Spans spans={cell} />
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      );
    case 'change':
      return <Change block={block} trans={trans} />;
    case 'source':
      return <pre>{block.text}</pre>;
    case 'fold':
      return (
        <details open={block.shown}>
          <summary>{block.title}</summary>
          <Blocks blocks={block.blocks} trans={trans} />
        </details>
      );
    default:
      return null; // what to type next: here are buttons for it
  }
}

/** Blocks in order. */
export function Blocks({ blocks, trans }: { blocks: Block[]; trans: ITrans }): JSX.Element {
  return (
    <div className="jp-Selfcode-blocks">
      {blocks.map((block, i) => (
        <Drawn key={i} block={block} trans={trans} />
      ))}
    </div>
  );
}

/** A view under a heading of its own, so its title is left out where `untitled`. */
export function View(props: { view: IView; trans: ITrans; untitled?: boolean }): JSX.Element {
  const { blocks } = props.view;
  const rest = props.untitled && blocks[0]?.block === 'title' ? blocks.slice(1) : blocks;
  return <Blocks blocks={rest} trans={props.trans} />;
}
