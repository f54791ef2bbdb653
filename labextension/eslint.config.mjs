import js from '@eslint/js';
import jupyterPlugin from '@jupyter/eslint-plugin';
import prettier from 'eslint-config-prettier';
import { defineConfig } from 'eslint/config';
import importPlugin from 'eslint-plugin-import';
import globals from 'globals';
import tseslint from 'typescript-eslint';

export default defineConfig([
  { ignores: ['node_modules', 'lib', 'coverage', '*.js', '*.mjs'] },
  js.configs.recommended,
  tseslint.configs.recommended,
  { plugins: { jupyter: jupyterPlugin } },
  jupyterPlugin.configs.recommended,
  {
    files: ['**/*.ts', '**/*.tsx'],
    plugins: { import: importPlugin },
    languageOptions: { globals: { ...globals.browser } },
    settings: {
      'import/parsers': { '@typescript-eslint/parser': ['.ts', '.tsx'] },
      'import/resolver': { typescript: true }
    },
    rules: {
      '@typescript-eslint/naming-convention': [
        'error',
        {
          selector: 'interface',
          format: ['PascalCase'],
          custom: { regex: '^I[A-Z]', match: true }
        }
      ],
      '@typescript-eslint/no-explicit-any': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { args: 'none', varsIgnorePattern: '^_' }],
      'import/no-cycle': 'error',
      // the whole of it is a few kilobytes: more requests would cost more than they save
      'jupyter/prefer-lazy-imports': 'off',
      curly: 'error',
      eqeqeq: 'error',
      'no-console': 'error',
      'prefer-arrow-callback': 'error'
    }
  },
  {
    // the part that two hosts share may not know either of them
    files: ['src/shared/**'],
    rules: {
      'no-restricted-imports': ['error', { patterns: ['@jupyterlab/*', '@lumino/*', '../*'] }]
    }
  },
  {
    files: ['tests/**'],
    languageOptions: { globals: { ...globals.jest } },
    rules: { 'jupyter/no-untranslated-string': 'off' }
  },
  prettier
]);
