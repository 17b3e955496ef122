-- For wrk: one of 10 000 documents at random.
request = function()
  return wrk.format("GET", "/entities/vm/vm-" .. math.random(0, 9999))
end
