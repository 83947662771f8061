"""parity.py REMOTE FOLDER OUT [CASE…]: what PySpark calls answer, as JSON: each case's schema and rows, its value, or its error's condition.

Spark's own answers are in ../testdata/parity.json; FOLDER must be one that the server can write to, as a new one each time."""
import datetime
import decimal
import logging
import os
import sys

import judging
import numpy
import pandas
from delta.tables import DeltaTable
from pyspark.sql import Observation, Row, SparkSession, Window, functions as F
from pyspark.sql.types import *  # noqa: F403

logging.getLogger("pyspark.sql.connect.logging").setLevel(logging.CRITICAL)
spark = SparkSession.builder.remote(sys.argv[1]).getOrCreate()
spark.conf.set("spark.sql.session.timeZone", "UTC")
folder = sys.argv[2]
df = spark.createDataFrame([(1,"a",1.5,[1,2],{"k":1},(1,"x")),(2,"b",None,[],{},(2,None)),(3,None,2.5,None,None,None)], "n int, s string, d double, a array<int>, m map<string,int>, st struct<x:int,y:string>")
df2 = spark.createDataFrame([(1,"p"),(2,"q"),(2,"r")], "n int, t string")
C = {}

C["select *"]=lambda: df
C["lit int"]=lambda: spark.range(1).select(F.lit(1),F.lit("x"),F.lit(1.5),F.lit(True),F.lit(None),F.lit(2**40))
C["lit dec"]=lambda: spark.range(1).select(F.lit(decimal.Decimal("1.50")),F.lit(decimal.Decimal("1E+3")),F.lit(decimal.Decimal("-0.001")),F.lit(decimal.Decimal("12345678901234567890.5")))
C["lit date"]=lambda: spark.range(1).select(F.lit(datetime.date(2020,1,2)),F.lit(datetime.datetime(2020,1,2,3,4,5,6)),F.lit(datetime.timedelta(days=1,seconds=2)))
C["lit bin"]=lambda: spark.range(1).select(F.lit(b"abc"))
C["lit list"]=lambda: spark.range(1).select(F.lit([1,2]),F.lit(["a"]),F.lit([1.5]),F.lit([True]))
C["lit np"]=lambda: spark.range(1).select(F.lit(numpy.array([1,2])))
C["alias meta"]=lambda: df.select(F.col("n").alias("z",metadata={"a":1}))
C["cast"]=lambda: df.select(F.col("n").cast("string"),F.col("n").cast(LongType()),F.col("s").try_cast("int"))
C["getitem"]=lambda: df.select(df.a[0] if False else F.col("a").getItem(F.lit(0)) if False else F.get("a",F.lit(0)))
C["getfield"]=lambda: df.select(df.st.x, df.st["y"], F.col("st.x"), F.col("st").getField("y"))
C["mapkey"]=lambda: df.select(df.m["k"])
C["withField"]=lambda: df.select(df.st.withField("z",F.lit(1)), df.st.dropFields("x"))
C["star"]=lambda: df.select("*", "st.*")
C["df.star"]=lambda: df.select(df["*"])
C["regex"]=lambda: df.select(df.colRegex("`(n|s)`"))
C["filter str"]=lambda: df.filter("n > 1 and s is not null")
C["filter col"]=lambda: df.filter((df.n > 1) & ~df.s.isNull() | (df.n == 3))
C["ops"]=lambda: df.select(df.n+1, 1-df.n, df.n*2, df.n/2, df.n%2, -df.n, df.n**2)
C["cmp"]=lambda: df.select(df.n==1, df.n!=1, df.n<1, df.n<=1, df.n>=1, df.s.eqNullSafe("a"))
C["strops"]=lambda: df.select(df.s.like("a%"), df.s.rlike("a"), df.s.ilike("A"), df.s.startswith("a"), df.s.endswith("a"), df.s.contains("a"), df.s.substr(1,1))
C["isin"]=lambda: df.select(df.n.isin(1,2), df.n.between(1,2), df.d.isNaN(), df.n.isNotNull())
C["bit"]=lambda: df.select(df.n.bitwiseAND(1), df.n.bitwiseOR(1), df.n.bitwiseXOR(1), F.bitwise_not(df.n))
C["when"]=lambda: df.select(F.when(df.n==1,"x").when(df.n==2,"y").otherwise("z"), F.when(df.n==1,1))
C["expr"]=lambda: df.selectExpr("n+1 as m","upper(s)","n")
C["withColumn"]=lambda: df.withColumn("z",df.n+1).withColumn("n",df.s)
C["withColumns"]=lambda: df.withColumns({"a1":df.n,"a2":df.s})
C["rename"]=lambda: df.withColumnRenamed("n","q").withColumnsRenamed({"s":"w","zz":"e"})
C["drop"]=lambda: df.drop("n","zz").drop(df.s)
C["toDF"]=lambda: df2.toDF("x","y")
C["to"]=lambda: df2.to(StructType([StructField("t",StringType()),StructField("n",LongType())]))
C["distinct"]=lambda: df2.select("n").distinct()
C["dropDup"]=lambda: df2.dropDuplicates(["n"]).select("n")
C["sort"]=lambda: df.orderBy(F.desc("n"), df.s.asc_nulls_last()).select("n")
C["sort2"]=lambda: df.sort("n",ascending=False).select("n")
C["limit"]=lambda: spark.range(10).limit(5).offset(2)
C["tail"]=lambda: spark.createDataFrame(spark.range(10).tail(2))
C["join on"]=lambda: df.join(df2,df.n==df2.n,"left").select(df.n,df2.t)
C["join using"]=lambda: df.select("n","s").join(df2,["n"],"outer")
C["join semi"]=lambda: df.join(df2,"n","left_semi").select("n")
C["join anti"]=lambda: df.join(df2,"n","left_anti").select("n")
C["cross"]=lambda: df2.crossJoin(spark.range(2))
C["self"]=lambda: (lambda a,b: a.join(b,a.n==b.n).select(a.t,b.t))(df2.alias("x"),df2.alias("y"))
C["self2"]=lambda: (lambda b: df2.join(b, df2.n==b.n).select(df2.t,b.n))(df2.filter("n>1"))
C["alias col"]=lambda: df2.alias("q").select("q.n",F.col("q.t"))
C["lateral"]=lambda: df2.lateralJoin(spark.range(2).select((F.col("id")+F.col("n").outer()).alias("v")))
C["union"]=lambda: df2.union(df2)
C["unionByName"]=lambda: df2.unionByName(df2.select(F.lit("w").alias("t"),F.lit(1).alias("x")),allowMissingColumns=True)
C["intersect"]=lambda: df2.intersect(df2)
C["except"]=lambda: df2.exceptAll(df2.limit(1))
C["subtract"]=lambda: df2.subtract(df2.filter("n=1"))
C["group"]=lambda: df2.groupBy("n").agg(F.count("*").alias("c"),F.max("t"))
C["group dict"]=lambda: df2.groupBy("n").agg({"t":"max","*":"count"})
C["group count"]=lambda: df2.groupBy().count()
C["group fn"]=lambda: df.groupBy("s").sum("n","d")
C["countDistinct"]=lambda: df2.agg(F.countDistinct("n"),F.count_distinct("n","t"),F.sum_distinct("n"))
C["rollup"]=lambda: df2.rollup("n","t").count()
C["cube"]=lambda: df2.cube("n","t").agg(F.grouping_id(),F.count("*"))
C["groupingSets"]=lambda: df2.groupingSets([("n",),("t",),()],"n","t").agg(F.count("*"))
C["pivot"]=lambda: df2.groupBy("n").pivot("t",["p","q"]).count()
C["agg first"]=lambda: df.agg(F.first("s",ignorenulls=True),F.collect_list("n"),F.collect_set("n"))
C["window"]=lambda: df2.select("n","t",F.row_number().over(Window.partitionBy("n").orderBy("t")).alias("r"),F.sum("n").over(Window.partitionBy("n").orderBy("t").rowsBetween(Window.unboundedPreceding,Window.currentRow)).alias("cs"),F.lag("t",1,"-").over(Window.orderBy("n","t")).alias("l"))
C["window range"]=lambda: df2.select(F.sum("n").over(Window.orderBy("n").rangeBetween(-1,1)))
C["explode"]=lambda: df.select("n",F.explode("a").alias("e"))
C["explode_outer"]=lambda: df.select("n",F.explode_outer("m"))
C["posexplode"]=lambda: df.select(F.posexplode("a"))
C["inline"]=lambda: df.select(F.inline(F.array(F.struct(F.lit(1).alias("p"),F.lit(2).alias("q")))))
C["transform"]=lambda: df.select(F.transform("a",lambda x: x+1),F.filter("a",lambda x: x>1),F.aggregate("a",F.lit(0),lambda acc,x: acc+x),F.exists("a",lambda x: x==2),F.transform("a",lambda x,i: x*i))
C["mapfn"]=lambda: df.select(F.transform_values("m",lambda k,v: v+1),F.map_filter("m",lambda k,v: v>0),F.zip_with("a","a",lambda x,y: x+y))
C["nested lambda"]=lambda: df.select(F.transform("a",lambda x: F.transform("a",lambda y: x+y)))
C["array"]=lambda: df.select(F.array("n","n"),F.create_map("s","n") if False else F.create_map(F.lit("a"),"n"),F.struct("n","s"),F.named_struct(F.lit("x"),"n"))
C["dates"]=lambda: spark.range(1).select(F.to_date(F.lit("2020-01-02")),F.date_add(F.lit("2020-01-02").cast("date"),1),F.year(F.lit("2020-01-02").cast("date")),F.date_format(F.lit("2020-01-02").cast("date"),"yyyy"),F.to_timestamp(F.lit("2020-01-02 03:04:05")))
C["strs"]=lambda: df.select(F.concat("s",F.lit("-")),F.upper("s"),F.length("s"),F.trim(F.lit(" x ")),F.regexp_replace("s","a","b"),F.split(F.lit("a,b"),","),F.format_string("%d-%s","n","s"),F.lpad("s",3,"*"),F.substring("s",1,1))
C["round"]=lambda: df.select(F.round("d",0),F.bround("d"),F.ceil("d"),F.floor("d"),F.abs("n"),F.sqrt("n"))
C["coalesce"]=lambda: df.select(F.coalesce("s",F.lit("z")),F.nvl("s",F.lit("q")),F.greatest("n",F.lit(2)),F.isnull("s"))
C["hash"]=lambda: df.select(F.hash("n","s"),F.xxhash64("n"),F.md5("s"),F.crc32("s"))
C["json"]=lambda: df.select(F.to_json("st"),F.from_json(F.lit('{"a":1}'),"a int"),F.get_json_object(F.lit('{"a":1}'),"$.a"))
C["call"]=lambda: df.select(F.call_function("upper","s"))
C["fill"]=lambda: df.select("n","s","d").na.fill({"s":"?","d":0.0})
C["fill2"]=lambda: df.select("n","s","d").fillna(0)
C["dropna"]=lambda: df.dropna(thresh=5)
C["replace"]=lambda: df.select("n","s").replace({"a":"A"}).replace([1],[10],"n")
C["describe"]=lambda: df.select("n","s").describe()
C["summary"]=lambda: df.select("n").summary("count","min","max")
C["crosstab"]=lambda: df2.crosstab("n","t").orderBy("n_t")
C["freq"]=lambda: df2.freqItems(["n"])
C["cov"]=lambda: spark.createDataFrame([(df.select("n","d").na.drop().cov("n","d"),df.select("n","d").na.drop().corr("n","d"))],"a double,b double")
C["quant"]=lambda: spark.createDataFrame([(x,) for x in df.approxQuantile("n",[0.5],0.0)],"q double")
C["sample"]=lambda: spark.range(100).sample(0.3,seed=1).agg((F.count("*")>0).alias("x"))
C["sampleBy"]=lambda: df2.sampleBy("n",{1:1.0,2:0.0},seed=1)
C["split"]=lambda: spark.range(100).randomSplit([0.5,0.5],seed=3)[0].agg((F.count("*")>0).alias("x"))
C["unpivot"]=lambda: df.select("n","d").unpivot("n",["d"],"var","val")
C["hint"]=lambda: df.join(df2.hint("broadcast"),"n").select("n")
C["bcast"]=lambda: df.join(F.broadcast(df2),"n").select("n")
C["repart"]=lambda: df2.repartition(3,"n").coalesce(1)
C["repartR"]=lambda: df2.repartitionByRange(2,"n")
C["sortWithin"]=lambda: df2.sortWithinPartitions("n")
C["tvf"]=lambda: spark.tvf.range(3)
C["tvf2"]=lambda: spark.tvf.explode(F.array(F.lit(1),F.lit(2)))
C["scalar"]=lambda: df2.select("n",df.agg(F.max("n")).scalar().alias("m"))
C["exists"]=lambda: df2.alias("o").where(df.alias("i").where(F.col("i.n")==F.col("o.n").outer()).exists())
C["in subq"]=lambda: df2.where(F.col("n").isin(df.select("n")))
C["sql args"]=lambda: spark.sql("select :a as a, :b as b", {"a":1,"b":F.array(F.lit(1))})
C["sql df"]=lambda: spark.sql("select * from {d} where n = {v}", d=df2, v=1)
C["sql expr"]=lambda: spark.sql("select n, count(*) c from {d} group by n order by n", d=df2)
C["transpose"]=lambda: df2.limit(1).transpose()
C["observe"]=lambda: df2.observe("o",F.count("*").alias("c"))
C["withWatermark"]=lambda: spark.range(1).select(F.current_timestamp().alias("t")).withWatermark("t","1 day").select(F.lit(1))
C["metadata"]=lambda: df2.withMetadata("n",{"k":"v"})
C["cached"]=lambda: df2.cache()
C["ckpt"]=lambda: df2.localCheckpoint()
C["ckptlazy"]=lambda: df2.localCheckpoint(eager=False)
C["nanvl"]=lambda: df.select(F.nanvl("d",F.lit(0.0)))
C["mono"]=lambda: spark.range(3).select((F.monotonically_increasing_id()>=0).alias("x"),F.spark_partition_id()>=0)
C["seq"]=lambda: spark.range(1).select(F.sequence(F.lit(1),F.lit(3)),F.array_sort(F.array(F.lit(2),F.lit(1))),F.flatten(F.array(F.array(F.lit(1)))))
C["interval"]=lambda: spark.range(1).select(F.make_dt_interval(F.lit(1)),F.expr("interval 1 year"))
C["nested"]=lambda: spark.createDataFrame([Row(a=Row(b=[Row(c=1)]))])
C["decimals"]=lambda: spark.createDataFrame([(decimal.Decimal("1.23"),)],"d decimal(10,2)")
C["ts"]=lambda: spark.createDataFrame([(datetime.datetime(2020,1,1,1,1,1),datetime.date(2020,1,1),b"x",True,1.5)],"t timestamp, d date, b binary, o boolean, f float")
C["pandas"]=lambda: spark.createDataFrame(pandas.DataFrame({"t":pandas.to_datetime(["2020-01-01"]),"c":["x"],"n":[1.5]}))
C["createmap"]=lambda: spark.createDataFrame([({"a":1},[1,2])],"m map<string,int>, l array<bigint>")
C["show"]=lambda: spark.createDataFrame([(df._show_string(20,20,False),df2._show_string(2,False,True))],"a string,b string")
C["values"]=lambda: spark.sql("values (1,'a'),(2,'b')")
C["with cte"]=lambda: spark.sql("with x as (select 1 a) select * from x")


def path(name):
    return os.path.join(folder, name)


def table(name, *steps):
    """A Delta table by name, fresh, after the steps; then what the last gives."""
    spark.sql(f"drop table if exists {name}")
    for step in steps[:-1]:
        step()
    return steps[-1]()


def save(frame, name, **how):
    w = frame.write.format("delta").mode(how.pop("mode", "overwrite"))
    if "by" in how:
        w = w.partitionBy(*how.pop("by"))
    w.options(**how).save(path(name))
    return spark.read.format("delta").load(path(name))


# Tables and files.
C["save"] = lambda: save(df, "all")
C["save append"] = lambda: (save(df2, "app"), save(df2, "app", mode="append"))[1]
C["save ignore"] = lambda: (save(df2, "ign"), save(spark.range(1), "ign", mode="ignore"))[1]
C["save error"] = lambda: (save(df2, "err"), save(df2, "err", mode="error"))[1]
C["save other schema"] = lambda: (save(df2, "oth"), save(spark.range(1), "oth", mode="append"))[1]
C["save mergeSchema"] = lambda: (save(df2, "mrg"), save(df2.withColumn("z", F.lit(1)), "mrg", mode="append", mergeSchema="true"))[1]
C["save overwriteSchema"] = lambda: (save(df2, "ovs"), save(spark.range(3), "ovs", overwriteSchema="true"))[1]
C["save by"] = lambda: save(df2, "by", by=["n"]).where("n = 2").select("t")
C["save by text"] = lambda: save(df2.select("n", F.concat("t", F.lit(" /%=é")).alias("t")), "byt", by=["t"])
C["save by null"] = lambda: save(df.select("n", "s"), "byn", by=["s"]).where("s is null")
C["save by date"] = lambda: save(spark.sql("select date'2020-01-02' d, timestamp'2020-01-02 03:04:05.678' t, 1 x"), "byd", by=["d", "t"])
C["save by dec"] = lambda: save(spark.sql("select cast(1.50 as decimal(5,2)) d, true b, 1 x union all select null, false, 2"), "bydec", by=["d", "b"])
C["save names"] = lambda: save(spark.range(1).select(F.lit(1).alias("größe"), F.lit(2).alias("名前")), "nam")
C["save space"] = lambda: save(spark.range(1).select(F.lit(1).alias("a b")), "spc")
C["save dot"] = lambda: save(spark.range(1).select(F.lit(1).alias("a.b")), "dot").select("`a.b`")
C["save case"] = lambda: save(spark.range(1).select(F.lit(1).alias("aB")), "cas").select("AB")
C["save twice named"] = lambda: save(spark.range(1).select(F.lit(1).alias("a"), F.lit(1).alias("A")), "dup")
C["save empty"] = lambda: save(df2.where("false"), "emp")
C["save void"] = lambda: save(spark.range(1).select(F.lit(None).alias("x"), "id"), "voi")
C["save nested"] = lambda: save(spark.createDataFrame([Row(a=Row(b=[Row(c=1, d={"k": [1, None]})], e=None), f=2.5)], "a struct<b:array<struct<c:int,d:map<string,array<int>>>>,e:string>, f double"), "nst")
C["save types"] = lambda: save(types_frame(), "typ")
C["save auto name"] = lambda: save(df.select(F.upper("s")).withColumnRenamed("upper(s)", "u"), "aut")
C["version"] = lambda: (save(df2, "ver"), save(df2.limit(1), "ver"), spark.read.format("delta").option("versionAsOf", 0).load(path("ver")))[2]
C["version sql"] = lambda: (save(df2, "vsq"), save(df2.where("n=1"), "vsq"), spark.sql(f"select * from delta.`{path('vsq')}` version as of 0"))[2]
C["version none"] = lambda: (save(df2, "vno"), spark.read.format("delta").option("versionAsOf", 7).load(path("vno")))[1]
C["no table"] = lambda: spark.read.format("delta").load(path("nothing"))
C["parquet"] = lambda: (df.write.mode("overwrite").parquet(path("pq")), spark.read.parquet(path("pq")))[1]
C["csv"] = lambda: (df2.write.mode("overwrite").option("header", True).csv(path("csv")), spark.read.csv(path("csv"), header=True, inferSchema=True))[1]
C["json files"] = lambda: (df.write.mode("overwrite").json(path("js")), spark.read.json(path("js")))[1]
C["text"] = lambda: (df2.select("t").write.mode("overwrite").text(path("txt")), spark.read.text(path("txt")))[1]
C["read schema"] = lambda: (df2.write.mode("overwrite").csv(path("csv2")), spark.read.schema("x string, y string").csv(path("csv2")))[1]
C["input files"] = lambda: len(save(df2.coalesce(1), "inp").inputFiles())
C["is delta"] = lambda: (save(df2, "isd"), bool(DeltaTable.isDeltaTable(spark, path("isd"))))[1]
C["is not delta"] = lambda: bool(DeltaTable.isDeltaTable(spark, path("nothing")))
C["delta toDF"] = lambda: (save(df2, "fdf"), DeltaTable.forPath(spark, path("fdf")).toDF())[1]
C["delta history"] = lambda: (save(df2, "his"), save(df2, "his", mode="append"), DeltaTable.forPath(spark, path("his")).history().select("version", "operation", "isBlindAppend"))[2]
C["history sql"] = lambda: (save(df2, "hsq"), save(df2, "hsq", mode="append"), save(df2, "hsq"), spark.sql(f"describe history delta.`{path('hsq')}`").select("version", "operation", "operationParameters", "readVersion", "isBlindAppend"))[3]
C["version of table"] = lambda: table("par_vt", lambda: df2.write.format("delta").saveAsTable("par_vt"), lambda: df2.write.format("delta").mode("append").saveAsTable("par_vt"), lambda: spark.read.option("versionAsOf", 0).table("par_vt"))
C["time of table"] = lambda: table("par_tt", lambda: df2.write.format("delta").saveAsTable("par_tt"), lambda: spark.read.option("timestampAsOf", "2001-01-01").table("par_tt"))
C["delta partitioned"] = lambda: table("par_dp", lambda: df2.write.format("delta").partitionBy("n").saveAsTable("par_dp"), lambda: df2.write.format("delta").mode("append").saveAsTable("par_dp"), lambda: spark.table("par_dp").where("n = 1"))
C["delta columns"] = lambda: table("par_dc", lambda: df2.write.format("delta").partitionBy("n").saveAsTable("par_dc"), lambda: spark.catalog.listColumns("par_dc"))
C["writeTo replace missing"] = lambda: table("par_rm", lambda: df2.writeTo("par_rm").using("delta").replace())
C["insertInto missing"] = lambda: table("par_im", lambda: df2.write.insertInto("par_im"))
C["cov nulls"] = lambda: [round(df.cov("n", "d"), 9), round(df.corr("n", "d"), 9), df.where("false").cov("n", "d")]

# The catalog.
C["saveAsTable"] = lambda: table("par_a", lambda: df2.write.saveAsTable("par_a"), lambda: spark.table("par_a"))
C["saveAsTable append"] = lambda: table("par_b", lambda: df2.write.saveAsTable("par_b"), lambda: df2.write.mode("append").saveAsTable("par_b"), lambda: spark.read.table("par_b"))
C["saveAsTable by name"] = lambda: table("par_bn", lambda: df2.write.saveAsTable("par_bn"), lambda: df2.select("t", "n").write.mode("append").saveAsTable("par_bn"), lambda: spark.read.table("par_bn"))
C["saveAsTable again"] = lambda: table("par_c", lambda: df2.write.saveAsTable("par_c"), lambda: df2.write.saveAsTable("par_c"))
C["saveAsTable partitioned"] = lambda: table("par_d", lambda: df2.write.partitionBy("n").saveAsTable("par_d"), lambda: spark.table("par_d").where("n=2"))
C["insertInto"] = lambda: table("par_e", lambda: df2.write.saveAsTable("par_e"), lambda: df2.select(F.col("n") + 10, "t").write.insertInto("par_e"), lambda: spark.table("par_e"))
C["insertInto by place"] = lambda: table("par_ep", lambda: df2.select("n", F.lit(7).alias("m")).write.saveAsTable("par_ep"), lambda: df2.select(F.lit(1).alias("m"), F.lit(2).alias("n")).write.insertInto("par_ep"), lambda: spark.table("par_ep"))
C["insertInto overwrite"] = lambda: table("par_f", lambda: df2.write.saveAsTable("par_f"), lambda: df2.limit(1).write.insertInto("par_f", overwrite=True), lambda: spark.table("par_f"))
C["insertInto fewer"] = lambda: table("par_g", lambda: df2.write.saveAsTable("par_g"), lambda: df2.select("n").write.insertInto("par_g"))
C["insertInto delta"] = lambda: table("par_g1", lambda: df2.write.format("delta").saveAsTable("par_g1"), lambda: df2.select(F.col("n") + 10, "t").write.insertInto("par_g1"), lambda: spark.table("par_g1"))
C["insertInto delta overwrite"] = lambda: table("par_g2", lambda: df2.write.format("delta").saveAsTable("par_g2"), lambda: df2.select(F.lit("7"), "n").write.insertInto("par_g2", overwrite=True), lambda: spark.table("par_g2"))
C["insertInto delta fewer"] = lambda: table("par_g3", lambda: df2.write.format("delta").saveAsTable("par_g3"), lambda: df2.select("n").write.insertInto("par_g3"))
C["insertInto delta text"] = lambda: table("par_g4", lambda: df2.write.format("delta").saveAsTable("par_g4"), lambda: df2.select("t", "n").write.insertInto("par_g4"))
C["insertInto delta nested"] = lambda: table("par_g5", lambda: df.select("st").write.format("delta").saveAsTable("par_g5"), lambda: df.select(F.struct(F.lit("y").alias("y"), F.lit(9).alias("x")).alias("st")).limit(1).write.insertInto("par_g5"), lambda: spark.table("par_g5"))
C["insertInto delta nested fewer"] = lambda: table("par_g6", lambda: df.select("st").write.format("delta").saveAsTable("par_g6"), lambda: df.select(F.struct("n").alias("st")).write.insertInto("par_g6"))
C["writeTo create"] = lambda: table("par_h", lambda: df2.writeTo("par_h").using("delta").create(), lambda: spark.table("par_h"))
C["writeTo append"] = lambda: table("par_i", lambda: df2.writeTo("par_i").using("delta").create(), lambda: df2.writeTo("par_i").append(), lambda: spark.table("par_i"))
C["writeTo replace"] = lambda: table("par_j", lambda: df2.writeTo("par_j").using("delta").create(), lambda: spark.range(2).writeTo("par_j").using("delta").createOrReplace(), lambda: spark.table("par_j"))
C["writeTo again"] = lambda: table("par_k", lambda: df2.writeTo("par_k").using("delta").create(), lambda: df2.writeTo("par_k").using("delta").create())
C["writeTo missing"] = lambda: table("par_l", lambda: df2.writeTo("par_l").append())
C["travel by name"] = lambda: table("par_m", lambda: df2.write.saveAsTable("par_m"), lambda: df2.write.mode("append").saveAsTable("par_m"), lambda: spark.read.option("versionAsOf", 0).table("par_m"))
C["travel sql"] = lambda: table("par_n", lambda: df2.write.saveAsTable("par_n"), lambda: df2.write.mode("append").saveAsTable("par_n"), lambda: spark.sql("select * from par_n version as of 0"))
C["ctas"] = lambda: table("par_o", lambda: spark.sql("create table par_o using delta as select 1 a, 'x' b"), lambda: spark.table("par_o"))
C["insert sql"] = lambda: table("par_p", lambda: spark.sql("create table par_p (a int, b string) using delta"), lambda: spark.sql("insert into par_p (b, a) values ('x', 1), ('y', 2)"), lambda: spark.table("par_p"))
C["create again"] = lambda: table("par_q", lambda: spark.sql("create table par_q (a int) using delta"), lambda: spark.sql("create table par_q (a int) using delta"))
C["describe table"] = lambda: table("par_r", lambda: df2.write.saveAsTable("par_r"), lambda: spark.sql("describe table par_r"))
C["show tables"] = lambda: table("par_s", lambda: df2.write.saveAsTable("par_s"), lambda: spark.sql("show tables").where("tableName = 'par_s'"))
C["table exists"] = lambda: table("par_t", lambda: df2.write.saveAsTable("par_t"), lambda: [spark.catalog.tableExists("par_t"), spark.catalog.tableExists("par_nothing"), spark.catalog.tableExists("par_t", "default"), spark.catalog.tableExists("default.par_t")])
C["list tables"] = lambda: table("par_u", lambda: df2.write.saveAsTable("par_u"), lambda: [t for t in spark.catalog.listTables() if t.name == "par_u"])
C["list tables temp"] = lambda: (df2.createOrReplaceTempView("par_view"), [t for t in spark.catalog.listTables() if t.name == "par_view"])[1]
C["list columns"] = lambda: table("par_v", lambda: df2.write.partitionBy("n").saveAsTable("par_v"), lambda: spark.catalog.listColumns("par_v"))
C["get table"] = lambda: table("par_w", lambda: df2.write.saveAsTable("par_w"), lambda: spark.catalog.getTable("par_w"))
C["current"] = lambda: [spark.catalog.currentDatabase(), spark.catalog.currentCatalog(), spark.catalog.databaseExists("default"), spark.catalog.databaseExists("nope")]
C["databases"] = lambda: [d.name for d in spark.catalog.listDatabases("default")]
C["get database"] = lambda: spark.catalog.getDatabase("default").name
C["function exists"] = lambda: [spark.catalog.functionExists("upper"), spark.catalog.functionExists("nope")]
C["catalogs"] = lambda: [c.name for c in spark.catalog.listCatalogs()]
C["catalog create"] = lambda: table("par_x", lambda: spark.catalog.createTable("par_x", source="delta", schema=df2.schema), lambda: spark.table("par_x"))
C["refresh"] = lambda: table("par_y", lambda: df2.write.saveAsTable("par_y"), lambda: spark.catalog.refreshTable("par_y"))
C["cache table"] = lambda: (df2.createOrReplaceTempView("par_c1"), spark.catalog.cacheTable("par_c1"), spark.catalog.isCached("par_c1"), spark.catalog.uncacheTable("par_c1"), spark.catalog.isCached("par_c1"))[2:]
C["clear cache"] = lambda: spark.catalog.clearCache()
C["temp view"] = lambda: (df2.createOrReplaceTempView("par_v1"), spark.sql("select t from par_v1 where n = 2"))[1]
C["temp view twice"] = lambda: (df2.createOrReplaceTempView("par_v2"), df2.createTempView("par_v2"))[1]
C["drop view"] = lambda: (df2.createOrReplaceTempView("par_v3"), spark.catalog.dropTempView("par_v3"), spark.catalog.dropTempView("par_v3"))[1:]
C["global view"] = lambda: (df2.createOrReplaceGlobalTempView("par_gv"), spark.table("global_temp.par_gv"))[1]
C["missing table"] = lambda: spark.table("par_nothing")
C["view sql"] = lambda: (spark.sql("create or replace temp view par_v4 as select 1 a"), spark.table("par_v4"))[1]
C["drop table"] = lambda: (spark.sql("drop table if exists par_nothing"), spark.sql("drop table par_nothing"))[1]
C["sql args named"] = lambda: spark.sql("select :a + 1 as a, :b as b", {"a": 1, "b": "x"})
C["sql args places"] = lambda: spark.sql("select ? + 1 as a, ? as b", [1, "x"])
C["set"] = lambda: (spark.conf.set("spark.sql.shuffle.partitions", "7"), spark.conf.get("spark.sql.shuffle.partitions"), spark.conf.unset("spark.sql.shuffle.partitions"))[1]
C["conf unknown"] = lambda: spark.conf.get("no.such.key")
C["conf default"] = lambda: spark.conf.get("no.such.key", "d")


# Actions.
def types_frame():
    schema = StructType([StructField(n, t) for n, t in [
        ("o", BooleanType()), ("b", ByteType()), ("s", ShortType()), ("i", IntegerType()), ("l", LongType()), ("f", FloatType()), ("d", DoubleType()),
        ("c", DecimalType(20, 3)), ("t", StringType()), ("y", BinaryType()), ("a", DateType()), ("u", TimestampType()), ("n", TimestampNTZType()),
        ("r", ArrayType(IntegerType())), ("m", MapType(StringType(), LongType())), ("x", StructType([StructField("p", IntegerType()), StructField("q", StringType())]))]])
    when = datetime.datetime(2020, 1, 2, 3, 4, 5, 678901)
    row = (True, -1, 300, 70000, 1 << 40, 1.5, -2.25, decimal.Decimal("12345678901234567.125"), "é🎉", b"\x00\xff", datetime.date(1960, 2, 29), when, when,
           [1, None], {"a": 1, "b": None}, (1, None))
    return spark.createDataFrame([row, (None,) * len(row)], schema)


C["types"] = lambda: types_frame()
C["types pandas"] = lambda: types_frame().drop("m").toPandas().to_dict("list")
C["count"] = lambda: df.count()
C["first"] = lambda: df2.orderBy("n").first()
C["head"] = lambda: [df2.orderBy("n", "t").head(), df2.orderBy("n", "t").head(2), df2.where("false").head()]
C["take"] = lambda: df2.orderBy("n", "t").take(2)
C["tail rows"] = lambda: [df2.orderBy("n", "t").tail(1), spark.range(20000).tail(3), df2.tail(0), df2.where("false").tail(2)]
C["isEmpty"] = lambda: [df2.isEmpty(), df2.where("false").isEmpty()]
C["toLocalIterator"] = lambda: sorted(map(tuple, df2.toLocalIterator()))
C["foreach"] = lambda: df2.foreach(print)
C["toPandas"] = lambda: df2.orderBy("n", "t").toPandas().to_dict("list")
C["toArrow"] = lambda: df2.orderBy("n", "t").toArrow().to_pydict()
C["columns"] = lambda: [df.columns, df.dtypes, df.schema.simpleString()]
C["tree"] = lambda: df._tree_string() if hasattr(df, "_tree_string") else str(df.schema.treeString())
C["explain"] = lambda: ["Physical Plan" in df._explain_string(mode=m) for m in ("simple", "extended", "codegen", "cost", "formatted")]
C["isLocal"] = lambda: [df.isLocal(), df.isStreaming]
C["storage"] = lambda: [str(df.storageLevel), str(df2.persist().storageLevel), str(df2.unpersist().storageLevel)]
C["same"] = lambda: [df.sameSemantics(df), df.sameSemantics(df2)]
C["hints"] = lambda: df2.hint("shuffle_hash").hint("repartition", 3).hint("nonsense").join(df2.hint("merge"), "n").select("n")
C["show vertical"] = lambda: df._show_string(2, 3, True)
C["repr html"] = lambda: df2.orderBy("n", "t")._repr_html_()
C["sample replaced"] = lambda: spark.range(1000).sample(True, 2.0, 3).agg((F.count("*") > 1500).alias("x"))
C["describe all"] = lambda: df.describe()
C["describe text"] = lambda: spark.createDataFrame([("1",), ("x",), (None,)], "s string").describe()
C["describe none"] = lambda: df.where("false").describe()
C["describe no column"] = lambda: df.select("a").describe()
C["describe missing"] = lambda: df.describe("zz")
C["summary all"] = lambda: df.summary()
C["summary odd"] = lambda: df.summary("count", "33%", "nonsense")
C["summary distinct"] = lambda: df2.summary("count_distinct", "approx_count_distinct", "0%", "100%")
C["cov text"] = lambda: df.cov("n", "s")
C["corr same"] = lambda: [df.corr("n", "n"), df.where("n=1").cov("n", "n"), df.where("false").corr("n", "d")]
C["quantiles"] = lambda: [df.approxQuantile(["n", "d"], [0.0, 0.5, 1.0], 0.0), df.where("false").approxQuantile("n", [0.5], 0.1), df.approxQuantile("n", [0.25], 0.01)]
C["quantile text"] = lambda: df.approxQuantile("s", [0.5], 0.0)
C["dedup two"] = lambda: df2.dropDuplicates(["n", "t"])
C["dedup missing"] = lambda: df2.dropDuplicates(["zz"])
C["dedup all"] = lambda: df2.union(df2).dropDuplicates()
C["distinct nested"] = lambda: df.select("a", "st").union(df.select("a", "st")).distinct()
C["group nested"] = lambda: df.groupBy("st", "a").count()
C["group map"] = lambda: df.groupBy("m").count()
C["rollup values"] = lambda: df2.rollup("n", "t").agg(F.sum("n"), F.grouping("n"), F.grouping("t"), F.grouping_id())
C["cube values"] = lambda: df2.cube("n").agg(F.sum("n").alias("s"), F.count("*").alias("c")).orderBy("n")
C["cube nulls"] = lambda: df.cube("s").count()
C["cube expr"] = lambda: df2.cube((F.col("n") % 2).alias("odd"), "t").count()
C["sets sql"] = lambda: spark.sql("select a, b, sum(c), grouping_id(a, b) from values (1,'x',10),(1,'y',20),(2,null,30) t(a,b,c) group by grouping sets ((a,b),(a),(a),())")
C["sets having"] = lambda: spark.sql("select a, count(*) c from values (1),(2),(2) t(a) group by rollup(a) having grouping(a) = 1 order by grouping(a), a")
C["sets mixed"] = lambda: spark.sql("select a, b, count(*) from values (1,'x'),(1,'y') t(a,b) group by a, cube(b)")
C["sets empty"] = lambda: spark.sql("select a, count(*) from values (1) t(a) where false group by rollup(a)")
C["sets distinct"] = lambda: spark.sql("select a, count(distinct b), sum(distinct b), sum(b) from values (1,2),(1,2),(2,3) t(a,b) group by cube(a)")
C["grouping misplaced"] = lambda: df.select(F.grouping("n"))
C["grouping other"] = lambda: df.cube("n").agg(F.grouping("s"))
C["grouping plain"] = lambda: df.groupBy("n").agg(F.grouping_id())
C["unpivot all"] = lambda: df.select("n", "d", F.lit(7).alias("k")).unpivot(["n"], None, "var", "val")
C["unpivot types"] = lambda: df.unpivot("n", ["s", "d"], "var", "val")
C["unpivot sql"] = lambda: spark.sql("select * from values (1, 2, null), (4, null, null) t(a, b, c) unpivot (v for k in (b, c as `see`))")
C["unpivot nulls"] = lambda: spark.sql("select * from values (1, 2, null), (4, null, null) t(a, b, c) unpivot include nulls (v for k in (b, c))")
C["unpivot pairs"] = lambda: spark.sql("select * from values (1, 2, 3, 4, 5), (6, null, null, null, 7) t(a, b, c, d, e) unpivot ((v, w) for k in ((b, c), (d, e) as z))")
C["intersectAll"] = lambda: df2.union(df2).select("n").intersectAll(df2.select("n"))
C["exceptAll"] = lambda: df2.union(df2).select("n").exceptAll(df2.select("n").limit(1))
C["fill cols"] = lambda: df.na.fill(9, ["d", "s"])
C["fill bool"] = lambda: spark.createDataFrame([(None, 1)], "b boolean, n int").na.fill(True)
C["fill nan"] = lambda: spark.createDataFrame([(float("nan"), 1.0), (None, float("nan"))], "x double, y float").na.fill(0.5)
C["fill missing"] = lambda: df.na.fill(1, ["zz"])
C["drop any"] = lambda: df.na.drop()
C["drop all"] = lambda: df.na.drop("all", subset=["s", "d"])
C["drop nan"] = lambda: spark.createDataFrame([(float("nan"),), (1.0,)], "x double").na.drop()
C["replace none"] = lambda: df.select("n", "s", "d").replace("a", None).replace([1.5, 2.5], [0.5, 0.25])
C["join names"] = lambda: df.join(df2, ["n"]).select("n", "s", "t")
C["join several"] = lambda: df2.join(df2.withColumnRenamed("t", "u"), [df2.n == F.col("u")] if False else "n", "left")
C["join right"] = lambda: df2.where("n=1").join(df.select("n", "s"), "n", "right")
C["join full on"] = lambda: df2.join(df.select(F.col("n").alias("k")), F.col("n") == F.col("k"), "full")
C["join ambiguous"] = lambda: df2.join(df2.filter("n > 1"), "n").select("t")
C["join self ambiguous"] = lambda: df2.join(df2, df2.n == df2.n)
C["join null safe"] = lambda: df.join(df.select(F.col("s").alias("k")), F.col("s").eqNullSafe(F.col("k"))).select("n")
C["join range"] = lambda: df2.join(spark.range(3).toDF("i"), F.col("i") < F.col("n"))
C["asof"] = lambda: df2.alias("a").join(df2.alias("b"), F.expr("a.n = b.n and a.t < b.t")).select("a.t", "b.t")
C["names quoted"] = lambda: spark.range(1).select(F.lit(1).alias("a b"), F.lit(2).alias("c.d"), F.lit(3).alias("e`f")).select("a b", "`c.d`", "`e``f`")
C["name missing"] = lambda: df.select("zz")
C["dot missing"] = lambda: spark.range(1).select(F.lit(2).alias("c.d")).select("c.d")
C["divide zero"] = lambda: df.select(F.col("n") / 0)
C["cast bad"] = lambda: df.select(F.col("s").cast("int"))
C["sum overflow"] = lambda: spark.createDataFrame([(2**63 - 1,), (1,)], "n bigint").agg(F.sum("n"))
C["element out"] = lambda: df.select(F.element_at("a", 5))
C["index out"] = lambda: df.select(F.col("a")[5])
C["order nulls"] = lambda: [r.s for r in df.orderBy(F.col("s").desc_nulls_first()).collect()] + [r.s for r in df.orderBy("s").collect()]
C["order two"] = lambda: [tuple(r) for r in df2.orderBy(F.desc("n"), "t").collect()]
C["order number"] = lambda: [tuple(r) for r in spark.sql("select n, t from {d} order by 1 desc, 2", d=df2).collect()]
C["with columns chain"] = lambda: df.withColumn("x", F.col("n") * 2).withColumn("y", F.col("x") + 1).drop("x").filter("y > 3")
C["struct fields"] = lambda: df.select("st.*").where("x is not null")
C["transform frame"] = lambda: df2.transform(lambda d: d.where("n = 2"))
C["union order"] = lambda: df2.union(df2.select(F.lit(9), F.lit("z")))
C["union widths"] = lambda: df2.union(df2.select("n"))
C["union types"] = lambda: df2.select("n").union(spark.createDataFrame([(1.5,)], "x double"))
C["range parts"] = lambda: [spark.range(10).count(), spark.range(5, 0, -2).toPandas().id.tolist(), spark.range(0, 10, 3).toPandas().id.tolist()]
C["random split"] = lambda: sum(p.count() for p in spark.range(1000).randomSplit([1.0, 2.0, 3.0], 5))
C["checkpoint"] = lambda: df2.checkpoint()
C["create pandas"] = lambda: spark.createDataFrame(pandas.DataFrame({"a": [1, 2], "b": ["x", None], "c": [[1], [2, 3]], "d": [True, False]}))
C["create dicts"] = lambda: spark.createDataFrame([{"a": 1, "b": "x"}, {"a": 2}])
C["create names"] = lambda: spark.createDataFrame([(1, 2.5)], ["a", "b"])
C["create ints"] = lambda: spark.createDataFrame([1, 2], "int")
C["create numpy"] = lambda: spark.createDataFrame(numpy.array([[1, 2], [3, 4]]))
C["create bad"] = lambda: spark.createDataFrame([("x",)], "a int")
C["create empty"] = lambda: spark.createDataFrame([], "a int, b array<string>")
C["to schema"] = lambda: df2.to(StructType([StructField("n", StringType()), StructField("q", DoubleType())]))
C["version server"] = lambda: spark.version.split(".")[0]


def observed(act):
    first, second = Observation("first"), Observation()
    passed = df2.observe(first, F.count("*").alias("c"), F.max("t").alias("m"), F.sort_array(F.collect_set("n")).alias("s"), (F.sum("n") + 1).alias("x"))
    act(passed.where("n = 2").observe(second, F.count("t").alias("c"), F.struct(F.min("n"), F.lit(1.5).alias("one")).alias("r")))
    return [first.get, second.get]


def asof(**how):
    left = spark.createDataFrame([(1, "a"), (3, "a"), (5, "b"), (None, "a"), (7, None)], "t int, k string").coalesce(1)
    right = spark.createDataFrame([(1, "a", 1), (3, "a", 2), (6, "b", 3), (None, "a", 4), (4, None, 5), (2, "b", 6)], "t int, k string, w int").coalesce(1)
    if how.pop("with_columns", False):
        how["on"] = [left.k == right.k, right.w < 3]
    return left._joinAsOf(right, left.t, right.t, **how)


C["observe get"] = lambda: observed(lambda d: d.collect())
C["observe count"] = lambda: observed(lambda d: d.count())
C["observe show"] = lambda: observed(lambda d: d.show())
C["observe save"] = lambda: observed(lambda d: save(d, "obs"))
C["observe noop"] = lambda: observed(lambda d: d.write.format("noop").mode("overwrite").save())
C["observe bad"] = lambda: df2.observe("o", F.countDistinct("n"))
C["observe twice"] = lambda: df2.observe("o", F.count("*")).observe("o", F.max("n"))
C["asof backward"] = lambda: asof(on="k")
C["asof forward"] = lambda: asof(on="k", how="left", direction="forward")
C["asof nearest"] = lambda: asof(on="k", how="left", direction="nearest", allowExactMatches=False)
C["asof tolerance"] = lambda: asof(how="left", tolerance=F.lit(1))
C["asof condition"] = lambda: asof(how="left", with_columns=True, direction="nearest")
C["asof wrong way"] = lambda: asof(direction="sideways")
C["asof wrong join"] = lambda: asof(how="right")
C["asof negative"] = lambda: asof(tolerance=F.lit(-1))
C["by range"] = lambda: spark.range(0, 100, 1, 1).repartitionByRange(4, F.desc("id")).groupBy(F.spark_partition_id().alias("p")).agg(F.min("id"), F.count("*"))
C["by range map"] = lambda: spark.sql("select map(1, 2) m").repartitionByRange(3, "m")
C["noop error"] = lambda: df2.write.format("noop").save()
C["transpose wide"] = lambda: spark.sql("select * from values (3, 1, 2.5D), (10, 2, null), (null, 7, 7D) t(k, v, w)").coalesce(1).transpose()
C["transpose types"] = lambda: spark.sql("select 1 k, 'x' a, 2 b").transpose()
C["freq support"] = lambda: df2.freqItems(["n"], 2.0)

# Frames: schemas, unions of structs, samples, numbers of rows.
S = StructType.fromDDL
Q = spark.sql
C["to nested"] = lambda: df.to(S("st struct<y:string,x:bigint>, n bigint"))
C["to array"] = lambda: Q("select array(named_struct('a', 1, 'b', 'x'), null) s").to(S("s array<struct<b:string,z:date,a:bigint>>"))
C["to map"] = lambda: Q("select map(1, named_struct('a', 1, 'b', 'x')) s").to(S("s map<bigint,struct<b:string,z:int>>"))
C["to text number"] = lambda: df.to(S("s int"))
C["to bool"] = lambda: Q("select true a").to(S("a int"))
C["to nested bad"] = lambda: df.to(S("st struct<y:int>"))
C["to nested not null"] = lambda: df.to(StructType([StructField("st", StructType([StructField("x", IntegerType(), False)]))]))
C["to nested new"] = lambda: Q("select named_struct('a', 1) s").to(StructType([StructField("s", StructType([StructField("z", IntegerType(), False)]))]))
C["to array nulls"] = lambda: Q("select array(1, null) s").to(StructType([StructField("s", ArrayType(IntegerType(), False))]))
C["to map nulls"] = lambda: Q("select map(1, null) s").to(StructType([StructField("s", MapType(IntegerType(), StringType(), False))]))
C["to ambiguous"] = lambda: Q("select 1 a, 2 A").to(S("a int"))
C["to ambiguous field"] = lambda: Q("select named_struct('a', 1, 'A', 2) s").to(S("s struct<a:int>"))
C["to overflow"] = lambda: Q("select 300 a").to(S("a tinyint"))
C["to metadata"] = lambda: Q("select 1 a").select(F.col("a").alias("a", metadata={"k": 1})).to(StructType([StructField("a", LongType(), metadata={"z": 2}), StructField("b", LongType(), metadata={"y": 3})]))
C["to nothing"] = lambda: Q("select 1 a").to(StructType([]))
C["union struct order"] = lambda: Q("select named_struct('a', 1, 'b', 'x') s").unionByName(Q("select named_struct('B', 'y', 'a', 2) s"))
C["union struct new"] = lambda: Q("select named_struct('a', 1, 'b', 'x') s").unionByName(Q("select named_struct('c', 1.5D, 'b', 'y') s"), True)
C["union struct deep"] = lambda: Q("select named_struct('a', named_struct('p', 1, 'q', 2), 'b', 'x') s").unionByName(Q("select named_struct('b', 'y', 'a', named_struct('r', 1, 'q', 5)) s"), True)
C["union struct missing"] = lambda: Q("select named_struct('a', 1, 'b', 'x') s").unionByName(Q("select named_struct('b', 'y') s"))
C["union struct null"] = lambda: Q("select named_struct('a', 1) s union all select null").unionByName(Q("select named_struct('b', 'y') s"), True)
C["union struct wider"] = lambda: Q("select named_struct('a', 1, 'b', 'x') s").unionByName(Q("select named_struct('b', 'y', 'a', 2L) s"), True)
C["union array order"] = lambda: Q("select array(named_struct('a', 1, 'b', 'x')) s").unionByName(Q("select array(named_struct('b', 'y', 'a', 2)) s"))
C["union array new"] = lambda: Q("select array(named_struct('a', 1, 'b', 'x')) s").unionByName(Q("select array(named_struct('b', 'y', 'c', 2)) s"), True)
C["union and columns"] = lambda: Q("select 1 a, named_struct('a', 1) s").unionByName(Q("select named_struct('b', 'y') s, 2 c"), True)
C["sample drawn"] = lambda: [sorted(r.id for r in spark.range(0, 40, 1, 3).sample(f, s).collect()) for f, s in [(0.5, 3), (0.1, 7), (1.0, 11), (0.0, 1)]]
C["sample drawn again"] = lambda: [sorted(r.id for r in spark.range(0, 40, 1, p).sample(True, f, s).collect()) for p, f, s in [(1, 0.5, 3), (3, 0.5, 3), (2, 1.0, 11), (1, 2.5, -5), (1, 0.0, 1)]]
C["split drawn"] = lambda: [sorted(r.id for r in x.collect()) for x in spark.range(0, 30, 1, 3).randomSplit([0.3, 0.3, 0.4], 5)]
C["sample share"] = lambda: spark.range(9).sample(1.5)
C["sample share below"] = lambda: spark.range(9).sample(True, -0.5)
C["sampleBy share"] = lambda: df2.sampleBy("n", {1: 1.2}, 1)
C["isin none"] = lambda: df.select(F.col("s").isin([]), F.col("n").isin())
C["isin none filter"] = lambda: df.filter(~df.s.isin([]))
C["drop ambiguous"] = lambda: df2.join(df2.select("n", F.col("t").alias("q")), df2.t == F.col("q")).drop(F.col("n"))
C["drop twice named"] = lambda: df2.select("n", "n", "t").drop("n")
C["drop expression"] = lambda: df2.drop(F.col("n") + 1, F.col("zz"))
C["struct twice named"] = lambda: df.select(F.struct("n", "n").alias("z"), F.arrays_zip("a", "a").alias("y"))
C["fields updated"] = lambda: df.select(F.struct("st").alias("o")).select(F.col("o").withField("st.x", F.lit("n")), F.col("o").dropFields("st.x"))
C["field of no struct"] = lambda: df.select(df.n.withField("x", F.lit(1)))
C["assert true"] = lambda: df2.select(F.assert_true(df2.n > 0), F.assert_true(df2.n > 0, "m"))
C["toDF fewer"] = lambda: df.toDF("a", "b")
C["tail below"] = lambda: df.tail(-1)
C["show below"] = lambda: [df2._show_string(0), df2._show_string(-1)]
C["range step"] = lambda: spark.range(1, 7, 0)
C["range none"] = lambda: spark.range(0, 10, 1, 0)
C["zip index"] = lambda: spark.range(0, 9, 1, 4).zipWithIndex("at")
C["zip index filtered"] = lambda: spark.range(0, 20, 1, 3).where("id % 3 = 1").zipWithIndex().where("index > 1")
C["by number"] = lambda: spark.range(12).repartitionById(3, (F.col("id") - 4).cast("int")).select("id", F.spark_partition_id().alias("p"))
C["by number null"] = lambda: spark.range(4).repartitionById(3, F.lit(None).cast("int")).select("id", F.spark_partition_id().alias("p"))
C["by number text"] = lambda: spark.range(4).repartitionById(3, F.lit("x"))
C["describe unknown"] = lambda: df.summary("a%")
C["summary percent"] = lambda: df.summary("150%")
C["dedup within"] = lambda: df2.dropDuplicatesWithinWatermark(["n"])
C["hint number"] = lambda: df2.hint("coalesce", "x").count()
C["view name"] = lambda: df2.createTempView("a b")

# The catalog, settings and writers.
C["truncate call"] = lambda: table("par_aa", lambda: df2.write.saveAsTable("par_aa"), lambda: spark.catalog.truncateTable("par_aa"), lambda: spark.table("par_aa").count())
C["truncate none"] = lambda: spark.catalog.truncateTable("par_none")
C["analyze call"] = lambda: table("par_ab", lambda: df2.write.format("parquet").saveAsTable("par_ab"), lambda: [spark.catalog.analyzeTable("par_ab"), spark.catalog.analyzeTable("par_ab", noScan=True)])
C["analyze none"] = lambda: spark.catalog.analyzeTable("par_none")
C["create text"] = lambda: table("par_ac", lambda: df2.write.format("parquet").partitionBy("n").saveAsTable("par_ac"), lambda: spark.catalog.getCreateTableString("par_ac"))
C["properties call"] = lambda: table("par_ad", lambda: Q("create table par_ad (a int) using parquet tblproperties ('p' = 'q')"), lambda: spark.catalog.getTableProperties("par_ad"))
C["partitions call"] = lambda: table("par_ae", lambda: df2.write.format("parquet").partitionBy("n").saveAsTable("par_ae"), lambda: spark.catalog.listPartitions("par_ae"))
C["partitions none"] = lambda: table("par_af", lambda: df2.write.format("parquet").saveAsTable("par_af"), lambda: spark.catalog.listPartitions("par_af"))
C["recover none"] = lambda: table("par_ag", lambda: df2.write.format("parquet").saveAsTable("par_ag"), lambda: spark.catalog.recoverPartitions("par_ag"))
C["recover missing"] = lambda: spark.catalog.recoverPartitions("par_none")
C["catalogs like"] = lambda: [spark.catalog.listCatalogs("spark*"), spark.catalog.listCatalogs("hive*")]
C["database call"] = lambda: [spark.catalog.createDatabase("par_db", True, {"comment": "said"}), spark.catalog.getDatabase("par_db").description, spark.catalog.dropDatabase("par_db"), spark.catalog.databaseExists("par_db")]
C["drop table of view"] = lambda: [df2.createOrReplaceTempView("par_v9"), Q("drop table par_v9").collect(), spark.catalog.dropTempView("par_v9")]
C["catalog create rows"] = lambda: table("par_ah", lambda: df2.write.mode("overwrite").parquet(path("ah")), lambda: spark.catalog.createTable("par_ah", path("ah"), "parquet"))
C["conf own default"] = lambda: [spark.conf.get("spark.sql.sources.partitionOverwriteMode", "DYNAMIC"), spark.conf.get("par.none", "x"), spark.conf.get("spark.sql.ansi.enabled")]
C["conf below"] = lambda: spark.conf.set("spark.sql.shuffle.partitions", "-1")
C["path twice"] = lambda: (df2.write.mode("overwrite").parquet(path("ptw")), spark.read.option("path", path("ptw")).parquet(path("ptw")))[1]
C["partition of arrays"] = lambda: df.write.partitionBy("a").parquet(path("poa"))
C["partition missing"] = lambda: df2.write.partitionBy("zz").parquet(path("pom"))
C["partition twice"] = lambda: df2.write.partitionBy("n", "n").parquet(path("pot"))
C["append other format"] = lambda: table("par_ai", lambda: df2.write.format("parquet").saveAsTable("par_ai"), lambda: df2.write.mode("append").format("json").saveAsTable("par_ai"))
C["append fewer"] = lambda: table("par_aj", lambda: df2.write.format("parquet").saveAsTable("par_aj"), lambda: df2.select("n").write.mode("append").format("parquet").saveAsTable("par_aj"))
C["append other names"] = lambda: table("par_ak", lambda: df2.write.format("parquet").saveAsTable("par_ak"), lambda: df2.toDF("x", "y").write.mode("append").format("parquet").saveAsTable("par_ak"))
C["append partitioned"] = lambda: table("par_al", lambda: df2.write.format("parquet").saveAsTable("par_al"), lambda: df2.write.mode("append").format("parquet").partitionBy("n").saveAsTable("par_al"))
C["insert partitioned"] = lambda: table("par_am", lambda: df2.write.format("parquet").saveAsTable("par_am"), lambda: df2.write.partitionBy("n").insertInto("par_am"))
C["cluster and partition"] = lambda: df2.write.format("delta").clusterBy("n").partitionBy("t").saveAsTable("par_an")
C["writeTo partitions"] = lambda: table("par_ao", lambda: df2.writeTo("par_ao").using("delta").partitionedBy("n").tableProperty("k", "v").create(), lambda: [sorted(map(tuple, spark.table("par_ao").collect())), Q("show tblproperties par_ao (k)").collect(), [c.name for c in spark.catalog.listColumns("par_ao") if c.isPartition]])
C["writeTo years"] = lambda: df2.writeTo("par_aq").using("delta").partitionedBy(F.years("n")).create()
C["writeTo buckets"] = lambda: df2.writeTo("par_aq").using("delta").partitionedBy(F.bucket(2, "n")).create()
C["writeTo replace missing"] = lambda: df2.writeTo("par_none").using("delta").replace()
C["merge nothing"] = lambda: table("par_ar", lambda: df2.write.format("delta").saveAsTable("par_ar"), lambda: df2.mergeInto("par_ar", F.lit(True)).merge())



def texts(*rows):
    return spark.createDataFrame([(r,) for r in rows], "value string").coalesce(1)


jsons = texts('{"a":1,"b":"x"}', '{"a":2.5}', "", "  ", '[{"a":3},{"b":"q"}]', "{bad", '{"a":"s"}')
csvs = texts("a,b", "1,x", "", "#c", "2,y,z", "a,b", "3")
xmls = texts("<r><a>1</a><b>x</b></r>", "<q><a>2.5</a></q>", "", "<r><a>", '<r a="5"/>', "<r><a>1</a></r><r><a>2</a></r>")
C["texts json"] = lambda: spark.read.json(jsons)
C["texts json schema"] = lambda: spark.read.schema("a int not null, b string, _corrupt_record string").json(jsons)
C["texts json drop"] = lambda: spark.read.option("mode", "DROPMALFORMED").schema("a int, b string").json(jsons)
C["texts json fail"] = lambda: spark.read.option("mode", "FAILFAST").schema("a int, b string").json(jsons)
C["texts json fail infer"] = lambda: spark.read.option("mode", "FAILFAST").json(jsons)
C["texts json null"] = lambda: spark.read.json(texts('{"a":1}', None, '{"a":\n2}', '{"a":3}\n{"a":4}'))
C["texts json bad alone"] = lambda: spark.read.json(texts("{bad", "5")).select("_corrupt_record")
C["texts json none"] = lambda: spark.read.json(texts())
C["texts json count"] = lambda: spark.read.json(jsons).count()
C["texts two columns"] = lambda: spark.read.json(df2)
C["texts number"] = lambda: spark.read.csv(df2.select("n"))
C["texts csv"] = lambda: spark.read.csv(csvs)
C["texts csv header"] = lambda: spark.read.option("header", True).option("inferSchema", True).option("comment", "#").csv(csvs)
C["texts csv schema"] = lambda: spark.read.option("header", True).schema("p int, q string, _corrupt_record string").csv(csvs)
C["texts csv drop"] = lambda: spark.read.option("mode", "DROPMALFORMED").schema("p int, q string").csv(csvs)
C["texts csv fail"] = lambda: spark.read.option("mode", "FAILFAST").schema("p int, q string").csv(csvs)
C["texts csv lines"] = lambda: spark.read.csv(texts('1,"x\ny"', "2,z\n3,w", None))
C["texts xml"] = lambda: spark.read.option("rowTag", "r").xml(xmls)
C["texts xml schema"] = lambda: spark.read.option("rowTag", "r").schema("a int, b string, _corrupt_record string").xml(xmls)
C["texts xml drop"] = lambda: spark.read.option("rowTag", "r").option("mode", "DROPMALFORMED").schema("a int, b string").xml(xmls)
C["texts xml fail"] = lambda: spark.read.option("rowTag", "r").option("mode", "FAILFAST").schema("a int, b string").xml(xmls)
C["texts xml null"] = lambda: spark.read.option("rowTag", "r").schema("a int").xml(texts("<r><a>1</a></r>", None))

judging.write(sys.argv[3], C, sys.argv[4:])
