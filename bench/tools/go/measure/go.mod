module crossborderbridge.local/bench/tools/measure

go 1.26
