// A REST catalog of Apache Iceberg: the library's own handlers behind the server of the JDK.
//
// java -cp <jars of iceberg-core> IcebergCatalog.java <port> <memory|sql> [<property>=<value> ...]
//
// Metadata of tables stays in memory; manifests and data files are where the writers put them. With sql the
// catalog is the library's one for SQL databases, and metadata goes to the local file system.
//
// Under /secured/ the same catalog wants tokens: POST /secured/v1/oauth/tokens gives one to the client "us" with
// the secret "s3cr3t", and a token is good for five requests. GET /tokens says how many were given.
//
// POST /faults/<namespace>.<table>/<answered|refused>/<count>: so many commits of the table get no answer, after
// they took place or instead of it. GET /faults/<namespace>.<table> says how many are left. The table * stands for
// requests that make tables in the namespace.
//
// Tables whose names begin with "refused" are no tables, as with catalogs that know fewer names than others.

import com.fasterxml.jackson.annotation.JsonAutoDetect;
import com.fasterxml.jackson.annotation.PropertyAccessor;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.File;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.iceberg.Files;
import org.apache.iceberg.catalog.Namespace;
import org.apache.iceberg.catalog.SupportsNamespaces;
import org.apache.iceberg.catalog.TableIdentifier;
import org.apache.iceberg.exceptions.AlreadyExistsException;
import org.apache.iceberg.exceptions.CommitFailedException;
import org.apache.iceberg.exceptions.NoSuchNamespaceException;
import org.apache.iceberg.exceptions.NoSuchTableException;
import org.apache.iceberg.inmemory.InMemoryCatalog;
import org.apache.iceberg.io.FileIO;
import org.apache.iceberg.io.InputFile;
import org.apache.iceberg.io.OutputFile;
import org.apache.iceberg.io.PositionOutputStream;
import org.apache.iceberg.io.SeekableInputStream;
import org.apache.iceberg.jdbc.JdbcCatalog;
import org.apache.iceberg.rest.CatalogHandlers;
import org.apache.iceberg.rest.RESTSerializers;
import org.apache.iceberg.rest.RESTUtil;
import org.apache.iceberg.rest.requests.CreateNamespaceRequest;
import org.apache.iceberg.rest.requests.CreateTableRequest;
import org.apache.iceberg.rest.requests.UpdateTableRequest;
import org.apache.iceberg.rest.responses.ErrorResponse;
import org.apache.iceberg.view.BaseMetastoreViewCatalog;

public class IcebergCatalog {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static BaseMetastoreViewCatalog CATALOG;
    private static final int REQUESTS_PER_TOKEN = 5;

    /** By token: how many requests it is still good for. */
    private static final Map<String, AtomicInteger> TOKENS = new ConcurrentHashMap<>();
    /** By table: commits that get no answer. */
    private static final Map<String, Fault> FAULTS = new ConcurrentHashMap<>();

    private record Fault(boolean isDone, AtomicInteger left) {}

    /** Files whose addresses stay what they were asked for by. */
    private static class LocalFiles implements FileIO {
        private static File file(String path) {
            return new File(path.replaceFirst("^file:/*", "/"));
        }

        @Override
        public InputFile newInputFile(String path) {
            InputFile local = Files.localInput(file(path));
            return new InputFile() {
                @Override
                public long getLength() {
                    return local.getLength();
                }

                @Override
                public SeekableInputStream newStream() {
                    return local.newStream();
                }

                @Override
                public String location() {
                    return path;
                }

                @Override
                public boolean exists() {
                    return local.exists();
                }
            };
        }

        @Override
        public OutputFile newOutputFile(String path) {
            OutputFile local = Files.localOutput(file(path));
            return new OutputFile() {
                @Override
                public PositionOutputStream create() {
                    return local.create();
                }

                @Override
                public PositionOutputStream createOrOverwrite() {
                    return local.createOrOverwrite();
                }

                @Override
                public String location() {
                    return path;
                }

                @Override
                public InputFile toInputFile() {
                    return newInputFile(path);
                }
            };
        }

        @Override
        public void deleteFile(String path) {
            file(path).delete();
        }
    }

    public static void main(String[] args) throws IOException {
        JSON.setVisibility(PropertyAccessor.FIELD, JsonAutoDetect.Visibility.ANY);
        JSON.configure(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES, false);
        JSON.setPropertyNamingStrategy(new PropertyNamingStrategies.KebabCaseStrategy());
        RESTSerializers.registerAll(JSON);
        Map<String, String> properties = new HashMap<>();
        Arrays.stream(args).skip(2).map(pair -> pair.split("=", 2)).forEach(p -> properties.put(p[0], p[1]));
        CATALOG = args[1].equals("sql") ? new JdbcCatalog(p -> new LocalFiles(), null, true) : new InMemoryCatalog();
        properties.putIfAbsent("warehouse", "s3://nowhere");
        CATALOG.initialize("test", properties);
        var server = HttpServer.create(new InetSocketAddress("127.0.0.1", Integer.parseInt(args[0])), 0);
        server.setExecutor(Executors.newFixedThreadPool(4));
        server.createContext("/v1/", IcebergCatalog::handle);
        server.createContext("/secured/v1/", IcebergCatalog::handleSecured);
        server.createContext("/faults/", IcebergCatalog::handleFaults);
        server.createContext("/tokens", exchange -> send(exchange, 200, TOKENS.size()));
        server.start();
    }

    private static void handle(HttpExchange exchange) throws IOException {
        Fault fault = faultOf(exchange);
        if (fault != null && !fault.isDone) {
            exchange.close();
            return;
        }
        Object answer;
        int status = 200;
        try {
            answer = answer(exchange);
        } catch (Exception err) {
            status = statusOf(err);
            answer = error(status, err.getClass().getSimpleName(), err.getMessage());
        }
        if (fault != null && status == 200) {
            exchange.close();
            return;
        }
        send(exchange, status, answer);
    }

    private static void send(HttpExchange exchange, int status, Object answer) throws IOException {
        byte[] body = JSON.writeValueAsBytes(answer);
        boolean isHead = exchange.getRequestMethod().equals("HEAD");
        exchange.getResponseHeaders().set("Content-Type", "application/json");
        exchange.sendResponseHeaders(status, isHead ? -1 : body.length);
        if (!isHead) {
            exchange.getResponseBody().write(body);
        }
        exchange.close();
    }

    private static ErrorResponse error(int status, String type, String message) {
        return ErrorResponse.builder().responseCode(status).withMessage(message).withType(type).build();
    }

    private static void handleSecured(HttpExchange exchange) throws IOException {
        if (exchange.getRequestURI().getPath().endsWith("/oauth/tokens")) {
            String form = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
            Set<String> wanted = Set.of("grant_type=client_credentials", "client_id=us", "client_secret=s3cr3t");
            if (!Set.copyOf(Arrays.asList(form.split("&"))).containsAll(wanted)) {
                send(exchange, 401, Map.of("error", "invalid_client", "error_description", "who is that?"));
                return;
            }
            String token = "t" + (TOKENS.size() + 1);
            TOKENS.put(token, new AtomicInteger(REQUESTS_PER_TOKEN));
            send(exchange, 200, Map.of("access_token", token, "token_type", "bearer"));
            return;
        }
        String given = exchange.getRequestHeaders().getFirst("Authorization");
        AtomicInteger left = given == null ? null : TOKENS.get(given.replaceFirst("^Bearer ", ""));
        if (left == null || left.getAndDecrement() <= 0) {
            send(exchange, 401, error(401, "NotAuthorizedException", "no token, or an old one"));
            return;
        }
        handle(exchange);
    }

    private static void handleFaults(HttpExchange exchange) throws IOException {
        String[] path = exchange.getRequestURI().getPath().split("/");
        if (path.length > 3) {
            var left = new AtomicInteger(Integer.parseInt(path[4]));
            FAULTS.put(path[2], new Fault(path[3].equals("answered"), left));
        }
        send(exchange, 200, FAULTS.get(path[2]).left.get());
    }

    /** What is to happen to this request, if it is a commit; counts it. */
    private static Fault faultOf(HttpExchange exchange) {
        String[] path = path(exchange);
        if (path.length < 3 || !exchange.getRequestMethod().equals("POST")) {
            return null;
        }
        String table = path.length == 3 ? "*" : RESTUtil.decodeString(path[3]);
        Fault fault = FAULTS.get(RESTUtil.decodeString(path[1]) + "." + table);
        return fault != null && fault.left.getAndUpdate(left -> Math.max(0, left - 1)) > 0 ? fault : null;
    }

    private static String[] path(HttpExchange exchange) {
        return exchange.getRequestURI().getRawPath().replaceFirst("^(/secured)?/v1/", "").split("/");
    }

    private static int statusOf(Exception err) {
        if (err instanceof NoSuchTableException || err instanceof NoSuchNamespaceException) {
            return 404;
        }
        if (err instanceof AlreadyExistsException || err instanceof CommitFailedException) {
            return 409;
        }
        return err instanceof IllegalArgumentException ? 400 : 500;
    }

    private static Object answer(HttpExchange exchange) throws IOException {
        String[] path = path(exchange);
        String request = exchange.getRequestMethod() + " " + path.length;
        if (path[0].equals("config")) {
            return Map.of("defaults", Map.of(), "overrides", Map.of());
        }
        Namespace namespace = path.length > 1 ? RESTUtil.decodeNamespace(path[1]) : null;
        switch (request) {
            case "POST 1":
                return CatalogHandlers.createNamespace((SupportsNamespaces) CATALOG, read(exchange, CreateNamespaceRequest.class));
            case "GET 2":
                return CatalogHandlers.loadNamespace((SupportsNamespaces) CATALOG, namespace);
            case "POST 3":
                return CatalogHandlers.createTable(CATALOG, namespace, read(exchange, CreateTableRequest.class));
            default:
        }
        TableIdentifier table = TableIdentifier.of(namespace, RESTUtil.decodeString(path[3]));
        if (table.name().startsWith("refused")) {
            throw new IllegalArgumentException("no table of this catalog is called so");
        }
        switch (request) {
            case "GET 4":
            case "HEAD 4":
                return CatalogHandlers.loadTable(CATALOG, table);
            case "DELETE 4":
                CatalogHandlers.dropTable(CATALOG, table);
                return Map.of();
            case "POST 4":
                return CatalogHandlers.updateTable(CATALOG, table, read(exchange, UpdateTableRequest.class));
            default:
                throw new IllegalArgumentException("not here: " + request);
        }
    }

    private static <T> T read(HttpExchange exchange, Class<T> type) throws IOException {
        return JSON.readValue(exchange.getRequestBody().readAllBytes(), type);
    }
}
