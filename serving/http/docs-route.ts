import { type RequestHandler, Router } from 'express';
import swaggerUi from 'swagger-ui-express';
import { openApiDocument } from './openapi.js';

/** `GET /openapi.json` and `GET /docs`, the same as a page to try things with. */
export function docsRoutes(): Router {
  const document = openApiDocument();
  const options = {
    customSiteTitle: 'mer: the API',
    // Swagger UI would have a server elsewhere check the document.
    swaggerOptions: { validatorUrl: null },
  };
  const page: RequestHandler = (request, response) => {
    // Its files are named relative to a folder.
    if (request.path === '/docs') response.redirect(301, '/docs/');
    else response.send(swaggerUi.generateHTML(document, options));
  };
  const router = Router();
  router.get('/openapi.json', (_request, response) => {
    response.json(document);
  });
  router.get('/docs', page);
  router.use('/docs', swaggerUi.serveFiles(document, options));
  return router;
}
