// The import directions of the house (see CONTRIBUTING.md): common <- preprocessing, models <- training <- export,
// and common <- preprocessing, models <- serving <- evaluation. cli, demo, scripts and benchmarks may import all.
const mayImport = {
  common: ['common'],
  models: ['common', 'models'],
  preprocessing: ['common', 'preprocessing'],
  training: ['common', 'models', 'preprocessing', 'training'],
  export: ['common', 'models', 'preprocessing', 'training', 'export'],
  serving: ['common', 'models', 'preprocessing', 'serving'],
  pipeline: ['common', 'models', 'preprocessing', 'training', 'pipeline'],
  evaluation: ['common', 'models', 'preprocessing', 'serving', 'evaluation'],
};
const all = [...Object.keys(mayImport), 'benchmarks', 'cli', 'demo', 'scripts', 'test'];

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    ...Object.entries(mayImport).map(([folder, allowed]) => ({
      name: `${folder}-imports-downwards-only`,
      comment: `${folder}/ may import only ${allowed.join(', ')}`,
      severity: 'error',
      from: { path: `^${folder}/` },
      to: { path: `^(${all.filter((name) => !allowed.includes(name)).join('|')})/` },
    })),
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    { name: 'no-unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'models-know-no-runtime',
      comment: 'models/ defines networks over Ops and imports neither TensorFlow nor ONNX Runtime',
      severity: 'error',
      from: { path: '^models/' },
      to: { path: 'node_modules/(@tensorflow|onnxruntime)' },
    },
    {
      name: 'tensorflow-only-in-training',
      severity: 'error',
      from: { pathNot: '^training/' },
      to: { path: 'node_modules/@tensorflow' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      extensions: ['.ts', '.js', '.mjs', '.cjs'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'types', 'node'],
    },
  },
};
