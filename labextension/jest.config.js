// Units only: what needs a JupyterLab is tested in a real one (tests/journeys/lab).
const own = {
  tsconfig: {
    jsx: 'react',
    esModuleInterop: true,
    allowJs: true,
    module: 'commonjs',
    target: 'es2020'
  }
};

module.exports = {
  testEnvironment: 'jsdom',
  testRegex: 'tests/.*\\.spec\\.tsx?$',
  transform: { '\\.[jt]sx?$': ['ts-jest', { ...own, diagnostics: false, isolatedModules: true }] },
  // these come as ES modules only
  transformIgnorePatterns: [
    '/node_modules/(?!(@jupyter/ydoc|@jupyterlab|@lumino|lib0|yjs|y-protocols)/)'
  ]
};
