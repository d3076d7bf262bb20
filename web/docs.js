/* The reference page: the contract, shown by Swagger UI. Keys that are typed in stay in the page. */
SwaggerUIBundle({
    url: "/api/openapi.json",
    dom_id: "#reference",
    deepLinking: true,
    docExpansion: "list",
    defaultModelsExpandDepth: 0,
    displayRequestDuration: true,
    persistAuthorization: false,
    syntaxHighlight: true,
    validatorUrl: null,
});
