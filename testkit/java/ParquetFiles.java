import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.hadoop.conf.Configuration;
import org.apache.parquet.avro.AvroParquetReader;
import org.apache.parquet.avro.AvroSchemaConverter;
import org.apache.parquet.hadoop.ParquetFileReader;
import org.apache.parquet.hadoop.ParquetReader;
import org.apache.parquet.io.LocalInputFile;
import org.apache.parquet.schema.MessageType;

/**
 * Prints what Java's own readers find in each Parquet file, a line of JSON each: the file's schema, the schema that
 * parquet-avro would give a file of the Avro schema in the footer (with lists of two levels, and of three), codec,
 * number of row groups, and rows.
 */
public final class ParquetFiles {
    public static void main(String[] files) throws Exception {
        PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
        GenericData model = new GenericData();
        for (String file : files) {
            LocalInputFile input = new LocalInputFile(Path.of(file));
            try (ParquetFileReader reader = ParquetFileReader.open(input)) {
                var meta = reader.getFooter().getFileMetaData();
                Schema avro = new Schema.Parser().parse(meta.getKeyValueMetaData().get("parquet.avro.schema"));
                out.print("{\"schema\":" + text(meta.getSchema()));
                out.print(",\"two_levels\":" + text(converted(avro, true)));
                out.print(",\"three_levels\":" + text(converted(avro, false)));
                var blocks = reader.getFooter().getBlocks();
                String codec = blocks.isEmpty() ? "" : blocks.get(0).getColumns().get(0).getCodec().name();
                out.print(",\"codec\":\"" + codec + "\",\"row_groups\":" + blocks.size() + ",\"rows\":[");
            }
            try (ParquetReader<Object> reader =
                    AvroParquetReader.<Object>builder(input).withDataModel(model).build()) {
                String between = "";
                for (Object row = reader.read(); row != null; row = reader.read()) {
                    out.print(between + model.toString(row));
                    between = ",";
                }
            }
            out.println("]}");
        }
        out.flush();
    }

    private static MessageType converted(Schema avro, boolean oldLists) {
        Configuration settings = new Configuration(false);
        settings.setBoolean("parquet.avro.write-old-list-structure", oldLists);
        return new AvroSchemaConverter(settings).convert(avro);
    }

    private static String text(MessageType schema) {
        return GenericData.get().toString(schema.toString());
    }
}
