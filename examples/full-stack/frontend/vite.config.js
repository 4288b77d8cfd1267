// How the page is built; Vite's own compiler knows JSX.
import { defineConfig } from 'vite';

export default defineConfig({
  esbuild: { jsx: 'automatic' },
  server: { allowedHosts: true },
});
