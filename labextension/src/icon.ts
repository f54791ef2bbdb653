/** The mark of the package: code, and an arrow that comes back to it. */
import { LabIcon } from '@jupyterlab/ui-components';

export const selfcodeIcon = new LabIcon({
  name: 'jupyter-selfcode:icon',
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="16" height="16" viewBox="0 0 24 24">
  <g class="jp-icon3" fill="none" stroke="#616161" stroke-width="2" stroke-linecap="round" stroke-linejoin="round">
    <path d="M7.5 12 3.5 16l4 4M16.5 12l4 4-4 4"/><path d="M6.5 8a6.5 6.5 0 0 1 11 0"/><path d="M18 3.5V8h-4.5"/>
  </g>
</svg>`
});
